"""Recordings at the rate of what is synthesized, where they were made at it or above."""

import os
from pathlib import Path

import numpy as np

from voiceswap.audio import prepare_audio, stream_audio
from voiceswap.conversion.recording import FullBand
from voiceswap.decoding import sound_info


def full_band_of_file(path: str | os.PathLike, analysed: int, rate: int) -> FullBand | None:
    """How to read segments of a file at `rate` Hz; None where it has nothing above `analysed`."""
    path = Path(path)
    if rate <= analysed or not path.is_file() or sound_info(path).rate < rate:
        return None

    def read(first: float, last: float) -> np.ndarray:
        start, stop, at, kept = round(first * rate), round(last * rate), 0, []
        for block in stream_audio(path, rate):
            kept.append(block[max(0, start - at) : max(0, stop - at)])
            at += len(block)
            if at >= stop:
                break
        return np.concatenate(kept)

    return read


def full_band_of_samples(
    samples: np.ndarray, given: float, analysed: int, rate: int
) -> FullBand | None:
    """The same of samples at `given` Hz."""
    if rate <= analysed or given < rate:
        return None

    def read(first: float, last: float) -> np.ndarray:
        return prepare_audio(samples, given, rate)[round(first * rate) : round(last * rate)]

    return read
