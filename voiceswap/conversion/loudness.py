"""Loudness over time: the gain by which outputs follow their sources.

Contours are mean powers, one value a mel frame, so those of an hour fit in memory.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from voiceswap.dsp.filters import high_pass, k_weighted
from voiceswap.dsp.level import level_of_powers, mean_powers
from voiceswap.features import AudioConfig

SMOOTHING_SECONDS, BRIDGE_SECONDS, CORRECTION_SECONDS = 0.3, 8.0, 0.75  # of Hann windows
BRIDGE_SHARE, LEVEL_SHARE = 1e-3, 1e-6  # weights of the speech around a pause, and of 0 dB
FLOOR = 1e-6  # power relative to the active level below which levels do not differ
RANGE_DB, CORRECTION_DB = 30.0, 3.0  # how far the gain and a correction of it may go
CORRECTIONS = 2  # each smoothed, so that what one misses is left to the next
ACTIVE = 1e-3  # power relative to the active level at which a frame counts half
LOUD_SECONDS, LOUD_QUANTILE, LOUD_FACTOR = 2.0, 0.9, 10.0  # see `without_transients`
TRANSIENT_SECONDS = 1.0  # around a clap, which tell nothing of the loudness of the speech
KEPT = 0.98  # what is known of a stream's windows, from one to the next
LOUD_STEP = 10  # frames for which the quantile, which changes slowly, is taken at once
END_SECONDS, END_FRAMES, END_DB = 0.05, 3, 25.0  # see `_lost_at_ends`
RESAMPLED = 0.95  # share of the Nyquist frequency that survives resampling


class Contours(NamedTuple):
    """Mean powers of a recording's mel frames, (frames,) each, float64: as they are, K-weighted.

    Of two voices with the same power the brighter one is louder; K-weighting tells how much.
    """

    powers: np.ndarray
    weighted: np.ndarray


def power_contours(blocks: Iterator[np.ndarray], audio: AudioConfig) -> Contours:
    """The contours of a recording in blocks, which come from `high_pass`."""
    powers: list[np.ndarray] = []
    weighted: list[np.ndarray] = []
    blocks = k_weighted(_measured(blocks, audio.hop_length, powers), audio.sample_rate)
    for _ in _measured(blocks, audio.hop_length, weighted):
        pass
    return Contours(np.concatenate(powers), np.concatenate(weighted))


def _measured(
    blocks: Iterator[np.ndarray], hop: int, powers: list[np.ndarray]
) -> Iterator[np.ndarray]:
    """The blocks as they come; the mean powers of every `hop` samples begun go to `powers`."""
    powers.append(np.zeros(0))
    held = np.zeros(0, np.float32)
    for block in blocks:
        yield block
        held = np.concatenate([held, block])
        whole = len(held) // hop * hop
        powers.append(mean_powers(held[:whole].reshape(-1, hop)))
        held = held[whole:]
    if len(held):
        powers.append(mean_powers(held[None]))


def output_contours(
    blocks: Iterator[np.ndarray], audio: AudioConfig, source: AudioConfig
) -> Contours:
    """The contours of an output at the rate of `audio`, in the band that its source has."""
    rate, source_rate = audio.sample_rate, source.sample_rate
    highest = RESAMPLED * source_rate / 2 if rate > source_rate else None
    return power_contours(high_pass(blocks, rate, highest), audio)


def without_transients(power: np.ndarray, level_db: float, frame_rate: float) -> np.ndarray:
    """A contour (frames,) in which claps and bangs are no louder than the loudest speech near.

    Speech stays below ten times the power that it surpasses for 10 % of the time, a clap does not.
    A short word after a pause stays below ten times the power of all speech, `level_db`.
    """
    beside = round(LOUD_SECONDS * frame_rate / 2)
    padded = np.pad(power, beside, "reflect" if len(power) > beside else "wrap")
    around = sliding_window_view(padded, 2 * beside + 1)[::LOUD_STEP]
    rank, rows, loud = round(LOUD_QUANTILE * 2 * beside), 4096, []
    for first in range(0, len(around), rows):  # those of an hour at once would fill the memory
        loud.append(np.partition(around[first : first + rows], rank, axis=1)[:, rank])
    near = np.repeat(np.concatenate(loud), LOUD_STEP)[: len(power)]
    return np.minimum(power, LOUD_FACTOR * np.maximum(near, 10 ** (level_db / 10)))


def powers_gain(
    source: np.ndarray, steady: np.ndarray, output: np.ndarray, frame_rate: float
) -> np.ndarray:
    """The gain that gives an output the powers of its source over time.

    The difference of both contours in dB, over SMOOTHING_SECONDS, with the output's power as
    weight: the balance of vowels and consonants stays the output's. Across pauses the gain goes
    from that of the speech before to that of the speech after. It never lifts what is smoothed
    above the source, so a pause does not become louder than the source's. What smoothing dB loses
    of the level is corrected over CORRECTION_SECONDS.

    Args:
        source: contour (frames,) of the source.
        steady: the same by `without_transients`.
        output: contour (frames,) of what was synthesized.
        frame_rate: frames a second.

    Returns:
        Gain of every frame in dB, (frames,).
    """
    source_db, output_db = level_of_powers(source), level_of_powers(output)
    wanted = steady / 10 ** (source_db / 10)
    given = output / 10 ** (output_db / 10)
    short, long = (_hann(seconds, frame_rate) for seconds in (SMOOTHING_SECONDS, BRIDGE_SECONDS))
    difference = 10 * np.log10((wanted + FLOOR) / (given + FLOOR))
    difference = np.clip(difference, -RANGE_DB, RANGE_DB)
    active = given / (given + ACTIVE)
    weight = active * given

    def bridged(values: np.ndarray) -> np.ndarray:
        return _smooth(values, short) + BRIDGE_SHARE * _smooth(values, long)

    gain = bridged(weight * difference) / (bridged(weight) + LEVEL_SHARE)
    highest = 10 * np.log10((_smooth(wanted, short) + FLOOR) / (_smooth(given, short) + 1e-12))
    gain = np.minimum(gain, np.maximum(highest, -RANGE_DB))

    wide = _hann(CORRECTION_SECONDS, frame_rate)
    for _ in range(CORRECTIONS):
        lacking = (_smooth(active * wanted, wide) + FLOOR) / (
            _smooth(active * given * 10 ** (gain / 10), wide) + FLOOR
        )
        gain += np.clip(10 * np.log10(lacking), -CORRECTION_DB, CORRECTION_DB)
    return gain + _lost_at_ends(wanted, given, gain, frame_rate) + source_db - output_db


class LoudnessGain:
    """The gain with which outputs are as loud as their sources: recordings, or a stream's windows.

    Within an output it is `powers_gain`, so the balance stays that of powers, and a voice keeps its
    highs. As a whole an output is as loud as its source by K-weighting; in a stream the windows
    before count as well.
    """

    def __init__(self, frame_rate: float):
        self._frame_rate, self._sums = frame_rate, np.zeros((2, 2))

    def next(self, source: Contours, output: Contours) -> np.ndarray:
        """Gain of every frame in dB, (frames,)."""
        level_db = level_of_powers(source.powers)
        steady = without_transients(source.powers, level_db, self._frame_rate)
        gain = powers_gain(source.powers, steady, output.powers, self._frame_rate)
        transient = source.powers > steady
        beside = _hann(TRANSIENT_SECONDS, self._frame_rate)
        share = _smooth(transient.astype(float), beside) == 0
        shares = share, share * 10 ** (gain / 10)
        sums = [np.einsum("ij,j", x, y) for x, y in zip((source, output), shares, strict=True)]
        self._sums = KEPT * self._sums + sums
        (powers, weighted), (made, made_weighted) = self._sums + 1e-12
        return gain + 10 * np.log10(weighted / powers * made / made_weighted)


def _lost_at_ends(
    wanted: np.ndarray, given: np.ndarray, gain: np.ndarray, frame_rate: float
) -> np.ndarray:
    """What the ends of an output lack, in dB, (frames,).

    The networks fade what begins or stops while the voice sounds, within less time than the gain is
    smoothed over.
    """
    short = _hann(END_FRAMES / frame_rate, frame_rate)
    lacking = (_smooth(wanted, short) + FLOOR) / (_smooth(given, short) + FLOOR)
    frames = np.arange(len(wanted))
    near = 2 - 2 * np.minimum(frames, frames[::-1]) / (END_SECONDS * frame_rate)
    share = np.clip(near, 0, 1) * wanted / (wanted + 10 * ACTIVE)
    return share * np.clip(10 * np.log10(lacking) - gain, 0, END_DB)


def _hann(seconds: float, frame_rate: float) -> np.ndarray:
    length = 2 * int(seconds * frame_rate / 2) + 1
    window = np.hanning(length + 2)[1:-1]
    return window / window.sum()


def _smooth(values: np.ndarray, window: np.ndarray) -> np.ndarray:
    """A convolution as long as `values`; beyond the ends there is nothing."""
    half = len(window) // 2
    return np.convolve(values, window)[half : half + len(values)]
