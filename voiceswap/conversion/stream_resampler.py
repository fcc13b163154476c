"""Resampling of streams with little delay."""

import math
from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

FILTER_REACH_SECONDS = 0.0025  # to either side of a sample that the filter sees
TRANSITION_HZ, KAISER_BETA = 1000.0, 7.0  # Hz below the lower Nyquist frequency; for 72 dB


class StreamResampler:
    """A windowed sinc, centred, so nothing moves in time, on samples that come in parts.

    Libraries made for whole recordings hold back 20 to 120 ms of a stream. What comes out depends
    on the parts in its rounding only.

    Args:
        rate_in, rate_out: Hz.

    Attributes:
        delay: seconds from a sample to when its place in the output is complete.
    """

    def __init__(self, rate_in: int, rate_out: int):
        common = math.gcd(rate_in, rate_out)
        self._up, self._down = rate_out // common, rate_in // common
        self._half = math.ceil(FILTER_REACH_SECONDS * rate_in) if rate_in != rate_out else 0
        self.delay = self._half / rate_in
        self._taps = _filters(self._up, self._down, self._half, TRANSITION_HZ / rate_in)
        self._held = np.zeros(self._half, np.float32)
        self._first = -self._half  # number of the first sample held
        self._taken = self._given = 0

    def push(self, samples: np.ndarray) -> np.ndarray:
        """Take samples (samples,), and give the output that is complete by now."""
        self._held = np.concatenate([self._held, samples])
        self._taken += len(samples)
        complete = max(0, -(-(self._taken - self._half) * self._up // self._down))
        return self._make(max(self._given, complete))

    def flush(self) -> np.ndarray:
        """The rest: in all as long as what was taken. Nothing may be pushed after it."""
        self._held = np.concatenate([self._held, np.zeros(self._half + 1, np.float32)])
        return self._make(round(self._taken * self._up / self._down))

    def _make(self, last: int) -> np.ndarray:
        """Outputs up to number `last`."""
        numbers = np.arange(self._given, last)
        self._given = max(last, self._given)
        if not len(numbers):
            return np.zeros(0, np.float32)
        places = numbers * self._down // self._up - self._half - self._first
        around = sliding_window_view(self._held, 2 * self._half + 1)[places]
        made = np.einsum("ij,ij->i", around, self._taps[numbers % self._up])
        kept = self._given * self._down // self._up - self._half - self._first
        self._held, self._first = self._held[kept:], self._first + kept
        return made


@lru_cache(maxsize=16)  # of a browser's usual rates to the model's, and back
def _filters(up: int, down: int, half: int, transition: float) -> np.ndarray:
    """The filter of each phase of an output between two inputs, (phases, taps).

    Args:
        up, down: the ratio of the rates, in lowest terms; there are `up` phases.
        half: taps to either side; 0 where nothing is resampled.
        transition: width of the transition band, in rates of the input.
    """
    if not half:
        return np.ones((1, 1), np.float32)
    phase = np.arange(up)[:, None] * down % up / up
    times = np.arange(-half, half + 1) - phase
    inside = np.clip(1 - np.square(times / (half + 1)), 0, None)
    width = min(1.0, up / down) - transition  # of both sides, in input rates
    taps = np.sinc(width * times) * np.i0(KAISER_BETA * np.sqrt(inside))
    return (taps / taps.sum(1, keepdims=True)).astype(np.float32)
