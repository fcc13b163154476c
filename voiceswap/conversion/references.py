"""What a voice is made from: the densest minutes of recordings, without their noise."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from voiceswap.conversion.batching import stack
from voiceswap.conversion.denoise import OF_REFERENCES, denoise, enhance
from voiceswap.conversion.mel_statistics import near_speech, speech_frames
from voiceswap.conversion.recording import Recording
from voiceswap.features import LogMel
from voiceswap.models.denoiser import Denoiser
from voiceswap.models.layers import length_mask

VOICE_SECONDS = 60.0  # of a longer reference, the densest minute
RELIABLE = 0.4  # part of a noisy mel magnitude that is speech, from which on it tells of the voice
PAUSE_SHARE = 0.1  # of a reference in long pauses, from which on the speaker code is without them


class ReferenceBatch(NamedTuple):
    """References of voices, in a batch.

    samples: (samples,) each, without noise. mel: log-mels (batch, mels, frames) without noise.
    mask: (batch, 1, frames), or None for one alone. reliability: of `mel`, from 0, where noise
    covers the voice, to 1; None where no network tells.
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
) -> ReferenceBatch:
    """The references of recordings, on the device of `log_mel`.

    Noise is removed in two ways. Log-mels are the mean of both: the denoiser's errors lean to an
    average voice, and those of spectral subtraction are noise, which residuals average out. Without
    a denoiser, steady noise alone is removed.
    """
    config = recordings[0].config
    noisy = [recording.samples(*densest_minute(recording), noisy=True) for recording in recordings]
    steady = [denoise(wave, config.sample_rate, OF_REFERENCES) for wave in noisy]
    mel = _log_mels(steady, log_mel)
    frames = torch.tensor([config.frames(len(wave)) for wave in noisy])
    mask = None if len(noisy) == 1 else length_mask(frames, mel.shape[-1]).to(mel.device)
    if denoiser is None:
        return ReferenceBatch(steady, mel, mask, None)
    clean = [enhance(denoiser, wave) for wave in noisy]
    clean_mel = _log_mels(clean, log_mel)
    share = (clean_mel - _log_mels(noisy, log_mel)).exp()
    return ReferenceBatch(clean, (mel + clean_mel) / 2, mask, (share / RELIABLE).clamp(max=1))


def without_long_pauses(mel: Tensor, mask: Tensor | None, frame_rate: float) -> Tensor:
    """The mask (batch, 1, frames) of log-mels (batch, mels, frames), zero in long pauses, too.

    A speaker code is a mean over frames, which long pauses would draw to that of silence.
    """
    near = near_speech(speech_frames(mel, mask), frame_rate, PAUSE_SHARE, mask)
    return near[:, None].to(mel.dtype)


def _log_mels(samples: Sequence[np.ndarray], log_mel: LogMel) -> Tensor:
    waves, _ = stack([torch.from_numpy(wave) for wave in samples])
    return log_mel(waves.to(log_mel.mel.filters.device))
