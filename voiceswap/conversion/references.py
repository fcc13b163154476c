"""What a voice is made from: the densest minutes of recordings, without their noise."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from voiceswap.conversion.batching import stack
from voiceswap.conversion.denoise import LOUDEST_OF_REFERENCES_DB, denoise, enhance
from voiceswap.conversion.recording import Recording
from voiceswap.features import LogMel
from voiceswap.models.denoiser import Denoiser
from voiceswap.models.layers import length_mask

VOICE_SECONDS = 60.0  # of a longer reference, the densest minute
# The part of a noisy mel magnitude that is speech: below the first it tells nothing of the voice,
# above the second all.
UNRELIABLE, RELIABLE = 0.1, 0.5


class References(NamedTuple):
    """References of voices, in a batch.

    samples: (samples,) each, without noise. mel: log-mels (batch, mels, frames) of them. mask:
    (batch, 1, frames), or None for one alone. reliability: from 0, where noise covers the voice, to
    1, (batch, mels, frames); None where no network tells.
    """

    samples: list[np.ndarray]
    mel: Tensor
    mask: Tensor | None
    reliability: Tensor | None


def densest_minute(recording: Recording) -> tuple[int, int]:
    """First and last mel frame of the minute with most speech."""
    return recording.densest_segment(VOICE_SECONDS)


def read_references(
    recordings: Sequence[Recording], log_mel: LogMel, denoiser: Denoiser | None
) -> References:
    """The references of recordings, on the device of `log_mel`.

    Steady noise alone is removed where there is no `denoiser`.
    """
    spans = [densest_minute(recording) for recording in recordings]
    pairs = list(zip(recordings, spans, strict=True))
    if denoiser is None:
        rate = recordings[0].config.sample_rate
        clean = [denoise(r.samples(*span), rate, LOUDEST_OF_REFERENCES_DB) for r, span in pairs]
        mel, mask = _log_mels(clean, recordings[0], log_mel)
        return References(clean, mel, mask, None)
    noisy = [recording.samples(*span, noisy=True) for recording, span in pairs]
    clean = [enhance(denoiser, wave) for wave in noisy]
    mel, mask = _log_mels(clean, recordings[0], log_mel)
    share = (mel - _log_mels(noisy, recordings[0], log_mel)[0]).exp()
    reliability = ((share - UNRELIABLE) / (RELIABLE - UNRELIABLE)).clamp(0, 1)
    return References(clean, mel, mask, reliability)


def _log_mels(
    samples: Sequence[np.ndarray], recording: Recording, log_mel: LogMel
) -> tuple[Tensor, Tensor | None]:
    device = log_mel.mel.filters.device
    waves, _ = stack([torch.from_numpy(wave) for wave in samples])
    mel = log_mel(waves.to(device))
    frames = torch.tensor([recording.config.frames(len(wave)) for wave in samples])
    return mel, None if len(samples) == 1 else length_mask(frames, mel.shape[-1]).to(device)
