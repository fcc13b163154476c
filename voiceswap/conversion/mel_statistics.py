"""Mel statistics: gives every mel bin of decoded speech the reference's mean and deviation."""

import torch
import torch.nn.functional as F
from torch import Tensor

GAIN_RANGE = (0.5, 2.0)
SPEECH_RANGE_DB = 30.0  # frames this far below the loudest still count as speech
PAUSE_SECONDS = 0.5  # from speech, beyond which a pause is long


def match_mel_statistics(decoded: Tensor, natural: Tensor, mask: Tensor | None = None) -> Tensor:
    """Gain and offset of every mel bin that give `decoded` the statistics of `natural`.

    After gain * decoded + offset, each bin has natural's mean and standard deviation over the
    frames with speech. Both are the same recording, so what differs is the voice and the decoder's
    smoothing. Applied to other content, this is AdaIN (Huang and Belongie, 2017) at the output, and
    the global-variance compensation of Toda et al. (2007).

    Args:
        decoded: log-mels (batch, mels, frames) of recordings, as the decoder makes them.
        natural: log-mels of the same recordings, as they are.
        mask: (batch, 1, frames), or None where nothing is padded.

    Returns:
        (batch, 2, mels): gains, within [0.5, 2], and offsets.
    """
    speech = speech_frames(natural, mask)[:, None].to(decoded.dtype)
    mean, deviation = _moments(decoded, speech)
    goal, goal_deviation = _moments(natural, speech)
    gain = (goal_deviation / deviation).clamp(*GAIN_RANGE)
    return torch.stack([gain, goal - gain * mean], 1)


def apply_mel_affine(mel: Tensor, mel_affine: Tensor) -> Tensor:
    """Log-mels (batch, mels, frames) through gains and offsets (batch, 2, mels)."""
    gain, offset = mel_affine[..., None].unbind(1)
    return gain * mel + offset


def mean_of_speech(
    log_mel: Tensor, mask: Tensor | None = None, values: Tensor | None = None
) -> Tensor:
    """Mean (batch, mels) of log-mels (batch, mels, frames), or of `values`, in their speech."""
    speech = speech_frames(log_mel, mask)[:, None].to(log_mel.dtype)
    return _moments(log_mel if values is None else values, speech)[0]


def speech_frames(log_mel: Tensor, mask: Tensor | None = None) -> Tensor:
    """Which frames of log-mels (batch, mels, frames) are no pause: (batch, frames), bool."""
    power = (2 * log_mel).exp().sum(1)
    if mask is not None:
        power = power * mask[:, 0]
    return power > power.amax(1, keepdim=True) * 10 ** (-SPEECH_RANGE_DB / 10)


def near_speech(
    speech: Tensor, frame_rate: float, few: float, mask: Tensor | None = None
) -> Tensor:
    """Which frames are in no long pause: (batch, frames), bool.

    Args:
        speech: which frames are no pause, (batch, frames), bool.
        frame_rate: frames a second.
        few: share of a recording's frames; with less than that in long pauses, all count.
        mask: (batch, 1, frames), or None where nothing is padded.
    """
    whole = torch.ones_like(speech) if mask is None else mask[:, 0].bool()
    reach = round(PAUSE_SECONDS * frame_rate)
    near = whole & F.max_pool1d(speech[:, None].float(), 2 * reach + 1, 1, reach)[:, 0].bool()
    enough = near.sum(-1, keepdim=True) >= (1 - few) * whole.sum(-1, keepdim=True)
    return torch.where(enough, whole, near)


def _moments(mel: Tensor, speech: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation (batch, mels) over the frames where `speech` is one."""
    count = speech.sum(-1).clamp(min=1)
    mean = (mel * speech).sum(-1) / count
    variance = ((mel - mean[..., None]).square() * speech).sum(-1) / count
    return mean, variance.sqrt() + 0.05
