"""Recordings as users give them to recordings as the models need them."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from voiceswap.audio import AudioInput, AudioStream, is_pair, prepare_audio, read_input
from voiceswap.audio_io.checks import MIN_RECORDING_SECONDS
from voiceswap.audio_io.decoding import sound_info
from voiceswap.audio_io.recording_files import recordings_in
from voiceswap.conversion.recording import FullBand, Recording
from voiceswap.errors import VoiceswapError
from voiceswap.features import AudioConfig
from voiceswap.notes import notes_to


def one_by_one(references: Any) -> list[Any]:
    """One reference or several, as a list; a folder stands for the recordings in it.

    Raises VoiceswapError where there is none.
    """
    several = isinstance(references, (list, tuple)) and not is_pair(references)
    found: list[Any] = []
    for item in references if several else [references]:
        folder = isinstance(item, (str, os.PathLike)) and os.path.isdir(item)
        found += recordings_in([Path(item)]) if folder else [item]
    if not found:
        raise VoiceswapError("At least one reference is needed.")
    return found


def read_recording(
    audio: AudioInput,
    config: AudioConfig,
    rate: int,
    noisy: bool = False,
    shortest: float = MIN_RECORDING_SECONDS,
) -> Recording:
    """A recording that is given as `VoiceSwapper` takes them.

    Args:
        audio: a path, samples at `rate`, or a pair of samples and their rate.
        config: the audio settings of what is analysed.
        rate: Hz, of what is synthesized.
        noisy: whether steady noise stays.
        shortest: seconds that it may have.

    Raises:
        AudioError: it can't be read or used.
    """
    if isinstance(audio, (str, os.PathLike)):
        stream, name = AudioStream(audio, config.sample_rate), str(audio)
        full_band = full_band_of_file(audio, config.sample_rate, rate)
        blocks, seconds = iter(stream), lambda: stream.seconds
    else:
        samples, given = read_input(audio, rate)
        name = "The recording"
        full_band = _full_band_of_samples(samples, given, config.sample_rate, rate)
        prepared = prepare_audio(samples, given, config.sample_rate, shortest=shortest)
        blocks, seconds = iter([prepared]), lambda: max(samples.shape) / given
    return Recording(blocks, config, name, seconds, full_band, noisy, shortest)


def full_band_of_file(path: str | os.PathLike, analysed: int, rate: int) -> FullBand | None:
    """How to read segments of a file at `rate` Hz; None where it has nothing above `analysed`."""
    path = Path(path)
    if rate <= analysed or not path.is_file() or sound_info(path).rate < rate:
        return None

    @notes_to(lambda note: None)  # the reading of all of it had the same
    def read(first: float, last: float) -> np.ndarray:
        start, stop, at, kept = round(first * rate), round(last * rate), 0, []
        for block in AudioStream(path, rate):
            kept.append(block[max(0, start - at) : max(0, stop - at)])
            at += len(block)
            if at >= stop:
                break
        return np.concatenate(kept)

    return read


def _full_band_of_samples(
    samples: np.ndarray, given: float, analysed: int, rate: int
) -> FullBand | None:
    """The same of samples at `given` Hz."""
    if rate <= analysed or given < rate:
        return None

    @notes_to(lambda note: None)
    def read(first: float, last: float) -> np.ndarray:
        return prepare_audio(samples, given, rate)[round(first * rate) : round(last * rate)]

    return read
