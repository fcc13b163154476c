"""Steady noise of a stream, which is removed while it comes."""

import numpy as np
import torch

from voiceswap.conversion.denoise import (
    HOP_SECONDS,
    MIN_SECONDS,
    VALLEY_FRAMES,
    VALLEY_SECONDS,
    VALLEY_STEP,
    SteadyNoise,
    find_noise,
    istft,
    moving_average,
    stft,
)
from voiceswap.dsp.spectra import power

NOISE_MEMORY_SECONDS = 20.0  # from which the noise is known
RENEWED = 10  # remembered frames after which the noise is found again: 0.4 s


class RunningNoise:
    """What is quiet in the last 20 s of a stream; see `denoise.find_noise`."""

    def __init__(self, sample_rate: int):
        self._rate = sample_rate
        self._valleys: torch.Tensor | None = None  # (bins, frames)
        self._noise: SteadyNoise | None = None
        self._new = 0  # frames since it was found

    def remove_from(self, window: np.ndarray, block: slice, speech_db: float) -> np.ndarray:
        """A window (samples,) without the noise.

        Args:
            window: the stream around its next block; what follows the block is new as well.
            block: the samples of the window that are learned from.
            speech_db: active level of the stream so far.
        """
        hop = round(HOP_SECONDS * self._rate)
        spectrum = stft(window, self._rate)
        self._remember(spectrum, -(-block.start // hop), block.stop // hop)
        assert self._valleys is not None
        if self._new >= RENEWED and self._valleys.shape[1] >= MIN_SECONDS / VALLEY_SECONDS:
            self._new, self._noise = 0, find_noise(self._valleys, speech_db, self._rate)
        if self._noise is None:
            return window
        return istft(self._noise.remove_from(spectrum), self._rate, len(window))

    def _remember(self, spectrum: torch.Tensor, first: int, last: int) -> None:
        """Add what is quiet in frames `first` to `last`, seen with those beside them."""
        left = max(0, first - VALLEY_FRAMES // 2)
        around = power(spectrum[:, left : last + VALLEY_FRAMES // 2])
        new = moving_average(around, VALLEY_FRAMES)[:, first - left : last - left : VALLEY_STEP]
        known = new if self._valleys is None else torch.cat([self._valleys, new], 1)
        self._valleys = known[:, -round(NOISE_MEMORY_SECONDS / VALLEY_SECONDS) :]
        self._new += new.shape[1]
