"""A limiter of true peaks: those between samples count as well."""

import numpy as np
import soxr
from numpy.lib.stride_tricks import sliding_window_view

LIMITER_FRAMES = 5  # how early the limiter begins and how late it ends, in mel frames
# The greatest magnitude of an output, also between its samples: -1 dBTP (EBU R 128). Other rates
# and lossy formats raise peaks, which would be clipped.
TRUE_PEAK = 0.89
OVERSAMPLING = 4


def true_peaks(samples: np.ndarray, hop: int) -> np.ndarray:
    """Greatest magnitude of every `hop` samples begun, also between samples, (frames,).

    Of four values a sample (ITU-R BS.1770, annex 2).
    """
    between = np.abs(soxr.resample(samples, 1, OVERSAMPLING, "MQ"))
    starts = np.arange(0, len(samples), hop)
    own = np.maximum.reduceat(np.abs(samples), starts)
    return np.maximum(own, np.maximum.reduceat(between, OVERSAMPLING * starts))


def limited_gain(gain_db: np.ndarray, peaks: np.ndarray) -> np.ndarray:
    """A gain at the edges of frames, of which a line from edge to edge keeps true peaks below
    TRUE_PEAK.

    Args:
        gain_db: (frames,).
        peaks: of every frame before the gain, by `true_peaks`, (frames,).

    Returns:
        Factors (frames + 1,), at the first sample of every frame and at the end of the last.
    """
    padded = np.pad(gain_db, 1, "edge")
    gain = 10 ** ((padded[1:] + padded[:-1]) / 40)
    loudest = peaks * np.maximum(gain[1:], gain[:-1])
    highest = TRUE_PEAK / np.maximum(loudest, TRUE_PEAK)
    if highest.min() == 1.0:
        return gain
    reach, width = LIMITER_FRAMES, 2 * LIMITER_FRAMES + 1
    edges = np.minimum(np.pad(highest, (1, 0), "edge"), np.pad(highest, (0, 1), "edge"))
    # A moving average over a moving minimum of the same width never exceeds the allowed gain.
    least = sliding_window_view(np.pad(edges, 2 * reach, "edge"), width).min(1)
    return gain * np.convolve(least, np.hanning(width + 2)[1:-1] / (reach + 1), "valid")


def ramps(gain: np.ndarray, hop: int, first: int, last: int) -> np.ndarray:
    """Factors of samples `first` to `last`, float32, on lines between those at frames' edges.

    `gain` is (frames + 1,), as `limited_gain` gives it.
    """
    start, stop = first // hop, -(-last // hop)
    edges, part = gain[start : stop + 1].astype(np.float32), np.arange(hop, dtype=np.float32) / hop
    factors = edges[:-1, None] + np.diff(edges)[:, None] * part
    return factors.ravel()[first - start * hop : last - start * hop]
