"""Hum of the mains in a stream, which is removed while it comes."""

import numpy as np
import torch

from voiceswap.dsp.hum import BINS, HOP_SECONDS, Hum, find_hum, hum_spectrum

MEMORY_SECONDS = 8.0  # from which the hum is known
FIRST_SECONDS = 2.0  # after which it can be
RENEWED = 4  # frames after which it is found again: 0.4 s


class RunningHum:
    """The hum in the last 8 s of a stream; see `hum.find_hum`.

    Attributes:
        new: tones in Hz, (tones,), that the last call found for the first time.
    """

    def __init__(self, sample_rate: int):
        self._rate, self._hop = sample_rate, round(HOP_SECONDS * sample_rate)
        self._spectrum = torch.zeros(BINS, 0, dtype=torch.complex128, device="cpu")
        self._next = 1  # the frame after it
        self._hum: Hum | None = None
        self._ever, self.new = np.zeros(0), np.zeros(0)

    def remove_from(self, window: np.ndarray, start: int) -> np.ndarray:
        """A window (samples,) of the stream, which begins at sample `start`, without the hum."""
        first = max(self._next, -(-start // self._hop) + 1)
        new = hum_spectrum(window[(first - 1) * self._hop - start :], self._rate)
        kept = round(MEMORY_SECONDS / HOP_SECONDS)
        self._spectrum = torch.cat([self._spectrum, new], 1)[:, -kept:]
        before, self._next = self._next, first + new.shape[1]
        known = self._spectrum.shape[1]
        if known >= FIRST_SECONDS / HOP_SECONDS and before // RENEWED < self._next // RENEWED:
            pause = self._hum.pause if self._hum else 0.0
            self._hum = find_hum(self._spectrum, self._next - known, pause)
        tones = self._hum.tones if self._hum else self._ever
        self.new = np.setdiff1d(tones, self._ever)
        self._ever = np.append(self._ever, self.new)
        if self._hum is None:
            return window
        hum = self._hum.wave(start, start + len(window), self._rate)
        return (window - hum).astype(np.float32)
