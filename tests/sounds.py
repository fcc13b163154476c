"""How far two sounds are apart."""

import numpy as np
import torch

from voiceswap.conversion.mel_statistics import speech_frames
from voiceswap.dsp.level import active_level_db
from voiceswap.features import AudioConfig, LogMel


def wave_error_db(out: np.ndarray, expected: np.ndarray, rate: int) -> float:
    """Active level of the difference of waveforms relative to that of `expected`."""
    return active_level_db(out - expected, rate) - active_level_db(expected, rate)


def log_mel_error_db(out: np.ndarray, expected: np.ndarray, audio: AudioConfig) -> float:
    """Power of the difference of log-mels in speech, relative to the variance of `expected`."""
    ours, theirs = (LogMel(audio)(torch.from_numpy(wave)[None]) for wave in (out, expected))
    speech = speech_frames(theirs)[0]
    ours, theirs = ours[0, :, speech], theirs[0, :, speech]
    variance = (theirs - theirs.mean(1, keepdim=True)).square().mean()
    return float(10 * ((ours - theirs).square().mean() / variance).log10())


def relative_difference(samples: np.ndarray, expected: np.ndarray) -> float:
    """Power of the difference, relative to that of `expected`."""
    return float(np.square(samples - expected).mean() / np.square(expected).mean())
