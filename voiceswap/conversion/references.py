"""What a voice is made from: the minutes of recordings with most speech, without noise."""

import math
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

MINUTE, MINUTES = 60.0, 3  # length of what is read of a reference at a time, and how often
LEAST_SPEECH = 0.2  # of the voiced frames of the densest minute, which another needs
RELIABLE = 0.4  # part of a noisy mel magnitude that is speech, from which on it tells of the voice
PAUSE_SHARE = 0.1  # of a reference in long pauses, from which on the speaker code is without them


class References(NamedTuple):
    """References of voices, in a batch; all of them, or a minute of each.

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
    return recording.densest_segment(MINUTE)


def voice_parts(recording: Recording) -> list[tuple[int, int]]:
    """First and last mel frames of what a voice is made from: all, or MINUTES of a long recording.

    Parts are no longer than a minute; the one with most speech is first.
    """
    count = math.ceil(recording.frames / (MINUTE * recording.config.frame_rate))
    edges = [round(i * recording.frames / count / 2) * 2 for i in range(count)]
    parts = list(zip(edges, [*edges[1:], recording.frames], strict=True))
    voiced = {part: np.count_nonzero(recording.f0[slice(*part)]) for part in parts}
    parts.sort(key=voiced.__getitem__, reverse=True)
    least = LEAST_SPEECH * voiced[parts[0]]
    return [part for part in parts[:MINUTES] if voiced[part] >= least]


def read_references(
    parts: Sequence[tuple[Recording, int, int]], log_mel: LogMel, denoiser: Denoiser | None
) -> References:
    """The references of parts of recordings, mel frames each, on the device of `log_mel`.

    Noise is removed in two ways. Log-mels are the mean of both: the denoiser's errors lean to an
    average voice, and those of spectral subtraction are noise, which residuals average out. Without
    a denoiser, steady noise alone is removed.
    """
    config = parts[0][0].config
    noisy = [recording.samples(first, last, noisy=True) for recording, first, last in parts]
    steady = [denoise(wave, config.sample_rate, OF_REFERENCES) for wave in noisy]
    mel = _log_mels(steady, log_mel)
    frames = torch.tensor([config.frames(len(wave)) for wave in noisy])
    mask = None if len(noisy) == 1 else length_mask(frames, mel.shape[-1]).to(mel.device)
    if denoiser is None:
        return References(steady, mel, mask, None)
    clean = [enhance(denoiser, wave) for wave in noisy]
    clean_mel = _log_mels(clean, log_mel)
    share = (clean_mel - _log_mels(noisy, log_mel)).exp()
    return References(clean, (mel + clean_mel) / 2, mask, (share / RELIABLE).clamp(max=1))


def without_long_pauses(mel: Tensor, mask: Tensor | None, frame_rate: float) -> Tensor:
    """The mask (batch, 1, frames) of log-mels (batch, mels, frames), zero in long pauses, too.

    A speaker code is a mean over frames, which long pauses would draw to that of silence.
    """
    near = near_speech(speech_frames(mel, mask), frame_rate, PAUSE_SHARE, mask)
    return near[:, None].to(mel.dtype)


def _log_mels(samples: Sequence[np.ndarray], log_mel: LogMel) -> Tensor:
    waves, _ = stack([torch.from_numpy(wave) for wave in samples])
    return log_mel(waves.to(log_mel.mel.filters.device))
