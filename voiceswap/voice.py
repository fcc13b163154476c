"""A voice, apart from anything it says."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Voice:
    """What the models know of a voice: a point that can be kept, mixed, and moved along lines.

    `code` is the speaker code, float32 of shape (code,); `log_f0_mean` and `log_f0_spread` are mean and standard
    deviation of ln F0 in Hz.
    """

    code: np.ndarray
    log_f0_mean: float
    log_f0_spread: float

    def toward(self, other: "Voice", amount: float) -> "Voice":
        """The voice `amount` of the way on the straight line from this one (0) to `other` (1)."""
        return blend([(self, 1 - amount), (other, amount)])


def blend(voices: Sequence[tuple[Voice, float]]) -> Voice:
    """The weighted mean of voices; weights are scaled to sum to one. Raises ValueError when they sum to zero."""
    weights = np.array([weight for _, weight in voices], dtype=np.float64)
    if not len(weights) or not np.isfinite(weights).all() or weights.sum() <= 0:
        raise ValueError("A blend needs at least one voice and weights with a sum above zero.")
    weights /= weights.sum()
    code = sum(weight * voice.code for (voice, _), weight in zip(voices, weights, strict=True))
    mean = sum(weight * voice.log_f0_mean for (voice, _), weight in zip(voices, weights, strict=True))
    spread = sum(weight * voice.log_f0_spread for (voice, _), weight in zip(voices, weights, strict=True))
    return Voice(np.asarray(code, dtype=np.float32), float(mean), float(spread))
