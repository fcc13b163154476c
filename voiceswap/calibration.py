"""What the decoder misses of a voice, measured where the truth is known: on the reference itself."""

import torch
from torch import Tensor

GAIN_RANGE = (0.5, 2.0)
SPEECH_DB = 30.0  # frames this far below the loudest still count as speech


def calibrate(rebuilt: Tensor, natural: Tensor) -> Tensor:
    """Gain and offset of every mel bin, (2, mels), that give `rebuilt` the statistics of `natural`.

    Both are log-mels (mels, frames) of one recording, as the decoder rebuilds it and as it is. After gain * rebuilt +
    offset, each bin has natural's mean and standard deviation over the frames with speech. Since the words are the
    same, what differs is the voice and the decoder's blur; applied to other words, this is AdaIN (Huang and Belongie,
    2017) at the output, and the global-variance compensation of Toda et al. (2007).
    """
    speech = speech_frames(natural)
    (mean, deviation), (goal, goal_deviation) = (
        (mel[:, speech].mean(1), mel[:, speech].std(1, correction=0) + 0.05) for mel in (rebuilt, natural)
    )
    gain = (goal_deviation / deviation).clamp(*GAIN_RANGE)
    return torch.stack([gain, goal - gain * mean])


def speech_frames(log_mel: Tensor) -> Tensor:
    """Which frames of a log-mel (mels, frames) are no pause: (frames,), true or false."""
    power = (2 * log_mel).exp().sum(0)
    return power > power.max() * 10 ** (-SPEECH_DB / 10)


def apply_calibration(mel: Tensor, calibration: Tensor) -> Tensor:
    """Log-mel (..., mels, frames) through a calibration (..., 2, mels)."""
    gain, offset = calibration[..., None].unbind(-3)
    return gain * mel + offset
