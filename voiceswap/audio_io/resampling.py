"""Resampling of whole recordings, and of those in blocks."""

from collections.abc import Iterator

import numpy as np
import soxr


def resample(samples: np.ndarray, rate: float, new_rate: float) -> np.ndarray:
    """Samples (samples,) at `rate` Hz to `new_rate` Hz; float32."""
    return soxr.resample(samples, rate, new_rate).astype(np.float32)


def resample_blocks(
    blocks: Iterator[np.ndarray], rate: float, new_rate: float
) -> Iterator[np.ndarray]:
    """`resample` of a recording in blocks (samples,); float32."""
    resampler = BlockResampler(rate, new_rate)
    for block in blocks:
        yield resampler.push(block)
    rest = resampler.flush()
    if len(rest):
        yield rest


def resample_to_length(
    samples: np.ndarray, rate: float, new_rate: float, seconds: float
) -> np.ndarray:
    """`resample`, `of_length` of so many seconds, within full scale: peaks may overshoot."""
    resampled = resample(samples, rate, new_rate).clip(-1, 1)
    return of_length(resampled, round(seconds * new_rate))


def of_length(samples: np.ndarray, length: int) -> np.ndarray:
    """Samples (samples,) cut, or continued by silence, to `length`: resampling rounds it."""
    return np.pad(samples[:length], (0, max(0, length - len(samples))))


class BlockResampler:
    """`resample` of a recording in blocks (samples,); those of one rate stay as they are."""

    def __init__(self, rate: float, new_rate: float):
        self._stream = None if rate == new_rate else soxr.ResampleStream(rate, new_rate, 1)

    def push(self, block: np.ndarray) -> np.ndarray:
        """Take a block (samples,), and give what is resampled by now (samples,)."""
        if self._stream is None:
            return block
        return self._stream.resample_chunk(block.astype(np.float32))

    def flush(self) -> np.ndarray:
        """The rest. Nothing may be pushed after it."""
        nothing = np.zeros(0, np.float32)
        return nothing if self._stream is None else self._stream.resample_chunk(nothing, last=True)
