"""Steady noise of a stream, which is removed while it comes."""

import numpy as np
import torch

from voiceswap.conversion.denoise import (
    ENOUGH,
    HOP,
    VALLEY,
    averaged,
    find_noise,
    inverse,
    transform,
)
from voiceswap.spectra import power

REMEMBERED = 20.0  # seconds from which the noise is known
EVERY = 5  # frames of `transform`, of which one is remembered: they are means over VALLEY


class RunningNoise:
    """What is quiet in the last 20 s of a stream; see `denoise.find_noise`."""

    def __init__(self, sample_rate: int):
        self._rate = sample_rate
        self._valleys: torch.Tensor | None = None  # (bins, frames)

    def removed(self, window: np.ndarray, block: slice, speech_db: float) -> np.ndarray:
        """A window (samples,) without the noise.

        Args:
            window: the stream around its next block; what follows the block is new as well.
            block: the samples of the window that are learned from.
            speech_db: active level of the stream so far.
        """
        hop = round(HOP * self._rate)
        spectrum = transform(window, self._rate)
        first, last = -(-block.start // hop), block.stop // hop
        new = averaged(power(spectrum), VALLEY)[:, first:last:EVERY]
        known = new if self._valleys is None else torch.cat([self._valleys, new], 1)
        self._valleys = known[:, -round(REMEMBERED / (EVERY * HOP)) :]
        if self._valleys.shape[1] < ENOUGH / (EVERY * HOP):
            return window
        noise = find_noise(self._valleys, speech_db, self._rate)
        if noise is None:
            return window
        return inverse(noise.removed(spectrum), self._rate, len(window))
