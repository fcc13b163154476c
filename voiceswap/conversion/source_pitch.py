"""The pitch of the one who speaks in several sources, such as the lines of a game's character."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from voiceswap.audio_io.checks import MIN_SOURCE_SECONDS
from voiceswap.audio_io.endings import SOUND_ENDINGS
from voiceswap.conversion.reading import read_recording
from voiceswap.conversion.recording import track_f0
from voiceswap.errors import AudioError, VoiceswapError
from voiceswap.features import AudioConfig, log_f0_statistics
from voiceswap.notes import notes_to

MOST_FILES = 200  # more, evenly spread among them, tell nothing new
MIN_VOICED_SECONDS = 1.0  # less tells no range

Paths = str | os.PathLike | Sequence[str | os.PathLike]


def source_pitch(recordings: Paths) -> tuple[float, float]:
    """Mean and deviation of ln F0 in Hz over all of one person's recordings.

    As `ConversionOptions.source_pitch` it leaves each of them where it is in the person's range: a
    shout stays higher than calm words. By its own statistics, each would come out at one pitch.

    Args:
        recordings: files and folders, with the folders in them. Those that can't be used are left
            out, and of very many some.

    Raises:
        VoiceswapError: there is none, or hardly any voice in them.
    """
    given = [recordings] if isinstance(recordings, (str, os.PathLike)) else recordings
    files = [file for item in given for file in _recordings_below(Path(item))]
    named = f"{given[0]}" if len(given) == 1 else f"{len(given)} recordings"
    contours, config, problem = [np.zeros(0, np.float32)], AudioConfig(), ""
    for file in files[:: -(-len(files) // MOST_FILES)]:
        try:
            with notes_to(lambda note: None):  # a conversion of the file has the same
                recording = read_recording(
                    file, config, config.sample_rate, shortest=MIN_SOURCE_SECONDS
                )
        except AudioError as error:
            problem = str(error)
            continue
        track_f0([recording], torch.device("cpu"), 1)
        contours.append(recording.f0)
    f0 = np.concatenate(contours)
    if problem and len(contours) == 1:
        raise VoiceswapError(problem)
    if np.count_nonzero(f0) < MIN_VOICED_SECONDS * config.frame_rate:
        raise VoiceswapError(
            f"{named}: less than {MIN_VOICED_SECONDS:g} s of voice, which tells nobody's pitch; "
            "give more recordings of the one who speaks in the sources."
        )
    return log_f0_statistics(f0)


def _recordings_below(path: Path) -> list[Path]:
    """`path` itself, or the recordings in a folder and those in it, in the order of names."""
    if not path.is_dir():
        return [path]
    found = [item for item in path.rglob("*") if item.suffix[1:].lower() in SOUND_ENDINGS]
    inside = sorted(item for item in found if item.is_file() and item.name[0] != ".")
    if not inside:
        raise VoiceswapError(f"There is no recording in the folder {path}.")
    return inside
