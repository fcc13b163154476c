"""Conversions inside a training batch, by the same functions that convert recordings."""

import math

from torch import Tensor

from voiceswap.conversion.core import Utterance, VoiceBatch, decode, extract_voice
from voiceswap.conversion.pitch import transfer_pitch
from voiceswap.features import AudioConfig
from voiceswap.models.autoencoder import Autoencoder
from voiceswap.models.gaussian import DiagonalGaussian
from voiceswap.models.layers import length_mask
from voiceswap.training.segments import Item


def segment_mask(batch: Item) -> Tensor:
    """The mask (batch, 1, frames) of a batch's segments, in mel frames."""
    return length_mask(batch["length"], batch["mel"].shape[-1])


def content_mask(batch: Item, stride: int) -> Tensor:
    """The same in frames of the content code."""
    return length_mask(-(-batch["length"] // stride), batch["content"].shape[-1])


def with_silence(mel: Tensor, mask: Tensor, audio: AudioConfig) -> Tensor:
    """Log-mels whose padding, which is zeros and so loud, is silence: for what takes no mask."""
    return mel.masked_fill(mask == 0, math.log(audio.log_floor))


def encode(
    autoencoder: Autoencoder, batch: Item
) -> tuple[DiagonalGaussian, DiagonalGaussian, DiagonalGaussian]:
    """Posteriors of content, and of the speaker from the reference and from the segment."""
    content = autoencoder.encode_content(batch["content"], content_mask(batch, autoencoder.stride))
    own = autoencoder.encode_speaker(batch["mel"], batch["verifier"], segment_mask(batch))
    return content, reference_speaker(autoencoder, batch), own


def reference_speaker(autoencoder: Autoencoder, batch: Item) -> DiagonalGaussian:
    """The posterior of the speaker, from the references of a batch's segments."""
    mel = batch["reference_mel"]
    mask = length_mask(batch["reference_length"], mel.shape[-1])
    return autoencoder.encode_speaker(mel, batch["reference_verifier"], mask)


def segment_voices(
    autoencoder: Autoencoder, batch: Item, content: Tensor, code: Tensor, items: slice
) -> VoiceBatch:
    """The voices of some of a batch's segments, as conversions take them from references.

    `content` (batch, code, frames / stride) and `code` (batch, code) are those of the whole batch.
    """
    voices, _ = extract_voice(
        autoencoder,
        Utterance(content[items], batch["f0"][items], batch["f0_statistics"][items]),
        code[items],
        batch["mel"][items],
        segment_mask(batch)[items],
    )
    return voices


def convert_segments(
    autoencoder: Autoencoder,
    batch: Item,
    content: Tensor,
    voices: VoiceBatch,
    items: slice,
    pitch_range: float | Tensor = 1.0,
) -> tuple[Tensor, Tensor]:
    """Some of a batch's segments in other voices.

    Args:
        autoencoder: whose decoder to use.
        batch: the segments.
        content: content codes (batch, code, frames / stride) of the whole batch.
        voices: the targets, one for each of the items.
        items: which segments to convert.
        pitch_range: factor of the intonation's width, one for all or (items, 1).

    Returns:
        Log-mel (items, mels, frames), and F0 (items, frames) in Hz at the voices' pitch.
    """
    source = batch["f0_statistics"][items]
    f0 = transfer_pitch(batch["f0"][items], source, voices.log_f0, pitch_range)
    mask = segment_mask(batch)[items]
    return decode(autoencoder, content[items], f0, voices, mask), f0
