"""Filters of linear phase, centred: nothing moves in time, wherever blocks of samples end."""

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
import torch

from voiceswap.audio_io.decoding import BLOCK_SECONDS

CUTOFF_HZ, TRANSITION_HZ, KAISER_BETA = 45.0, 30.0, 7.0  # for 72 dB: 60 Hz pass, 30 Hz do not
KAISER_LENGTH = 2.24  # half the filter's length times its transition's width, for 72 dB
# K-weighting (ITU-R BS.1770): a shelf for the head, and a high-pass; Hz and Q of their poles.
SHELF_HZ, SHELF_Q, SHELF_GAIN, SHELF_MIDDLE = 1681.97, 0.7072, 1.5849, 1.2587
WEIGHTING_HZ, WEIGHTING_Q = 38.135, 0.5003


def high_pass(
    blocks: Iterator[np.ndarray],
    sample_rate: int,
    highest: float | None = None,
    lowest: float = CUTOFF_HZ,
) -> Iterator[np.ndarray]:
    """Remove what is below `lowest`, as offsets, rumble and steps, and what is above `highest`.

    The recording is mirrored at its ends.

    Args:
        blocks: samples (samples,) of a recording, of any lengths.
        sample_rate: Hz.
        highest: Hz, above which all is removed as well; None removes nothing there.
        lowest: Hz; what is 15 Hz above it stays whole, what is 15 Hz below it is gone.

    Yields:
        Blocks of as many samples in all, float32.
    """
    return _filtered(blocks, sample_rate, _high_pass(sample_rate, highest, lowest))


def k_weighted(blocks: Iterator[np.ndarray], sample_rate: int) -> Iterator[np.ndarray]:
    """Weigh frequencies by how loud they are, with the gains of K-weighting (ITU-R BS.1770).

    It takes and yields what `high_pass` does.
    """
    return _filtered(blocks, sample_rate, _k_weighting(sample_rate))


class _Filter(NamedTuple):
    """The spectrum of `2 * half + 1` taps, for Fourier transforms of `size` samples."""

    half: int
    size: int
    spectrum: torch.Tensor


def _overlap_save(taps: np.ndarray) -> _Filter:
    size = 1 << (2 * len(taps)).bit_length()
    spectrum = torch.fft.rfft(torch.from_numpy(taps), size).to(torch.complex64)
    return _Filter(len(taps) // 2, size, spectrum)


@cache
def _high_pass(sample_rate: int, highest: float | None, lowest: float) -> _Filter:
    """The difference of two windowed sincs."""
    half = _half(sample_rate)
    times, window = np.arange(-half, half + 1), np.kaiser(2 * half + 1, KAISER_BETA)

    def low_pass(cutoff: float) -> np.ndarray:
        taps = np.sinc(2 * cutoff / sample_rate * times) * window
        return taps / taps.sum()  # so that those of the difference have no sum: no offset passes

    return _overlap_save(low_pass(highest or sample_rate / 2) - low_pass(lowest))


@cache
def _k_weighting(sample_rate: int) -> _Filter:
    """The gains of the standard's two filters, which are analogue ones, without their phase."""
    half = _half(sample_rate)
    hertz = np.fft.rfftfreq(8 * half, 1 / sample_rate)
    s = 1j * hertz / SHELF_HZ
    shelf = (SHELF_GAIN * s**2 + SHELF_MIDDLE / SHELF_Q * s + 1) / (s**2 + s / SHELF_Q + 1)
    s = 1j * hertz / WEIGHTING_HZ
    response = np.abs(shelf * s**2 / (s**2 + s / WEIGHTING_Q + 1))
    taps = np.roll(np.fft.irfft(response, 8 * half), half)[: 2 * half + 1]
    return _overlap_save(taps)


def _half(sample_rate: int) -> int:
    return round(KAISER_LENGTH / TRANSITION_HZ * sample_rate)


def _filtered(
    blocks: Iterator[np.ndarray], sample_rate: int, taps: _Filter
) -> Iterator[np.ndarray]:
    half, held, begun = taps.half, np.zeros(0, np.float32), False
    for block in _cut(blocks, BLOCK_SECONDS * sample_rate):
        if len(held) > 2 * half:  # and, with a block to follow, not the recording's end
            if not begun:
                held, begun = np.pad(held, (half, 0), "reflect"), True
            yield _convolved(held, taps)
            held = held[-2 * half :]
        held = np.concatenate([held, block])
    if len(held):
        sides = (0 if begun else half, half)
        yield _convolved(np.pad(held, sides, "reflect"), taps)


def _convolved(samples: np.ndarray, taps: _Filter) -> np.ndarray:
    """The filter's output where its taps and the samples overlap whole, float32.

    By overlap-save, in Fourier transforms of two to four times the filter: a longer one takes more
    time to plan than it saves.
    """
    beside = 2 * taps.half
    step, length = taps.size - beside, len(samples) - beside
    padded = np.pad(samples.astype(np.float32, copy=False), (0, -length % step))
    spectra = torch.fft.rfft(torch.from_numpy(padded).unfold(0, taps.size, step))
    filtered = torch.fft.irfft(spectra.mul_(taps.spectrum), taps.size)
    return filtered[:, beside:].flatten()[:length].numpy()


def _cut(blocks: Iterator[np.ndarray], longest: int) -> Iterator[np.ndarray]:
    for block in blocks:
        for first in range(0, len(block), longest):
            yield block[first : first + longest]
