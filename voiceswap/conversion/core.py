"""The conversion itself, as functions of tensors: content, F0 and a voice to log-mel.

Conversion, the training losses, the vocoder's training data and the validation conversions all call
`decode` and `extract_voice`, so they agree on what a conversion is.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from voiceswap.conversion.mel_statistics import apply_mel_affine, match_mel_statistics
from voiceswap.conversion.residuals import Residuals, extract_residuals, impute, retrieve
from voiceswap.models.autoencoder import Autoencoder
from voiceswap.models.decoder_delta import DecoderDelta
from voiceswap.models.layers import masked
from voiceswap.transfer import to_device


@dataclass(frozen=True)
class VoiceBatch:
    """The target voices of a batch, on one device.

    Attributes:
        code: speaker codes (batch, code).
        log_f0: mean and standard deviation of ln F0 (batch, 2).
        mel_affine: gain and offset of every bin of the log-mel (natural logarithm) (batch, 2,
            mels); see `match_mel_statistics`.
        residuals: a voice's reference recordings, each with its share (batch,) of the voice.
        deltas: what each voice changes of the decoder; empty where none is adapted.
        high_gain: log-gains of the vocoder's high band (batch, HIGH_BANDS), or None.
    """

    code: Tensor
    log_f0: Tensor
    mel_affine: Tensor
    residuals: tuple[tuple[Residuals, Tensor], ...] = ()
    deltas: tuple[DecoderDelta | None, ...] = ()
    high_gain: Tensor | None = None


def decode(
    autoencoder: Autoencoder,
    content: Tensor,
    f0: Tensor,
    voice: VoiceBatch,
    mask: Tensor | None = None,
    exclude_self: bool = False,
) -> Tensor:
    """Content and F0 in given voices.

    Args:
        autoencoder: whose decoder to use.
        content: content code (batch, code, frames / stride).
        f0: (batch, frames), Hz, at the voices' pitch, 0 where unvoiced.
        voice: the target voices.
        mask: (batch, 1, frames), or None where nothing is padded.
        exclude_self: whether the content is that of the voices' own reference; see
            `residuals.retrieve`.

    Returns:
        Log-mel (batch, mels, frames).
    """
    mel = _decode(autoencoder, content, f0, voice, mask).float()
    # Residuals are constants in training, which learns what decoding lacks beside them.
    query = content.detach().float()
    for residuals, share in voice.residuals:
        retrieved = retrieve(residuals, query, f0.shape[-1], exclude_self, mask)
        mel = mel + share[:, None, None] * retrieved
    return masked(apply_mel_affine(mel, voice.mel_affine), mask)


def _decode(
    autoencoder: Autoencoder, content: Tensor, f0: Tensor, voice: VoiceBatch, mask: Tensor | None
) -> Tensor:
    """Decoded log-mels: at once for all voices that change the decoder alike."""
    inputs = content, f0, voice.log_f0, voice.code
    distinct = list({id(delta): delta for delta in voice.deltas}.values())
    if len(distinct) <= 1:
        return autoencoder.decode(*inputs, mask, *distinct)
    mel = f0.new_empty(len(f0), autoencoder.audio.n_mels, f0.shape[-1])
    for delta in distinct:
        those = torch.tensor([i for i, other in enumerate(voice.deltas) if other is delta])
        rows = to_device(those, f0.device)
        some_content, some_f0, log_f0, code = (x[rows] for x in inputs)
        some_mask = None if mask is None else mask[rows]
        decoded = autoencoder.decode(some_content, some_f0, log_f0, code, some_mask, delta)
        mel[rows] = decoded.float()
    return mel


class Utterance(NamedTuple):
    """What the decoder is given of recordings beside a voice's speaker code.

    content: content code (batch, code, frames / stride). f0: (batch, frames), Hz. log_f0: mean and
    standard deviation of ln F0 (batch, 2).
    """

    content: Tensor
    f0: Tensor
    log_f0: Tensor


@torch.no_grad()
def extract_voice(
    autoencoder: Autoencoder,
    utterance: Utterance,
    code: Tensor,
    natural: Tensor,
    mask: Tensor | None = None,
    delta: DecoderDelta | None = None,
    reliability: Tensor | None = None,
) -> tuple[VoiceBatch, Tensor]:
    """The voices of reference recordings: residuals and mel statistics of decoding them.

    Args:
        autoencoder: whose decoder to use.
        utterance: of the references.
        code: speaker codes (batch, code).
        natural: log-mels (batch, mels, frames) of the references.
        mask: (batch, 1, frames), or None where nothing is padded.
        delta: what the voices change of the decoder.
        reliability: of `natural`, from 0 to 1, in its shape; None is one everywhere.

    Returns:
        The voices, and log-mels of the references as `decode` makes them with `exclude_self`.
    """
    utterance = utterance._replace(content=utterance.content.float())
    content, natural = utterance.content, natural.float()
    decoded = autoencoder.decode(*utterance, code, mask, delta).float()
    if reliability is not None:
        natural = impute(natural, decoded, reliability, mask)
    residuals = extract_residuals(content, decoded, natural, mask)
    compensated = decoded + retrieve(residuals, content, natural.shape[-1], True, mask)
    mel_affine = match_mel_statistics(compensated, natural, mask)
    shares = code.new_ones(len(code))
    deltas = () if delta is None else (delta,) * len(code)
    voices = VoiceBatch(code, utterance.log_f0, mel_affine, ((residuals, shares),), deltas)
    return voices, masked(apply_mel_affine(compensated, mel_affine), mask)
