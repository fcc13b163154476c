"""Pitch transfer: the source's intonation at the target's pitch."""

import math

import torch
from torch import Tensor

from voiceswap.features import F0_MAX, F0_MIN

SEMITONE = math.log(2) / 12  # of ln F0


def transfer_pitch(
    f0: Tensor, source: Tensor, target: Tensor, pitch_range: float | Tensor = 1.0
) -> Tensor:
    """Move F0 contours to a voice's pitch by a linear map of ln F0.

    The contour's standard deviation becomes the geometric mean of both voices': the target's alone
    would exaggerate the estimation error of a short reference, the source's alone would keep one of
    the source's habits.

    Args:
        f0: (batch, frames), Hz, 0 where unvoiced.
        source: (batch, 2), mean and standard deviation of ln F0 of the source.
        target: (batch, 2), those of the voice to move to.
        pitch_range: factor of the standard deviation, a number or (batch, 1).

    Returns:
        (batch, frames), Hz within [F0_MIN, F0_MAX], 0 where `f0` is 0.
    """
    width = (target[:, 1:] / source[:, 1:]).sqrt() * pitch_range
    moved = target[:, :1] + (f0.clamp(min=1.0).log() - source[:, :1]) * width
    return torch.where(f0 > 0, moved.exp().clamp(F0_MIN, F0_MAX), 0.0)
