"""A voice, apart from anything it says."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np


@dataclass(frozen=True)
class Voice:
    """What the models know of a voice: a point that can be kept, mixed, and moved along lines.

    `code` is the speaker code, float32 of shape (code,); `log_f0` the mean and standard deviation of ln F0 in Hz,
    shape (2,); `calibration` the gain and offset of every mel bin that the decoder misses, shape (2, mels).
    """

    code: np.ndarray
    log_f0: np.ndarray
    calibration: np.ndarray

    def toward(self, other: "Voice", amount: float) -> "Voice":
        """The voice `amount` of the way on the straight line from this one (0) to `other` (1)."""
        return blend([(self, 1 - amount), (other, amount)])


def blend(voices: Sequence[tuple[Voice, float]]) -> Voice:
    """The weighted mean of voices; weights are scaled to sum to one. Raises ValueError when they can't be."""
    weights = np.array([weight for _, weight in voices], dtype=np.float64)
    if not len(weights) or not np.isfinite(weights).all() or weights.sum() <= 0:
        raise ValueError("A blend needs at least one voice and weights with a sum above zero.")
    weights /= weights.sum()
    means = {
        field.name: np.tensordot(weights, np.stack([getattr(voice, field.name) for voice, _ in voices]), 1).astype(np.float32)
        for field in fields(Voice)
    }
    return Voice(**means)
