"""The pitch of the one who speaks in several sources, such as the lines of a game's character."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from voiceswap.audio_io.checks import MIN_SOURCE_SECONDS
from voiceswap.audio_io.decoding import require_file
from voiceswap.audio_io.endings import SOUND_ENDINGS
from voiceswap.conversion.reading import read_recording
from voiceswap.conversion.recording import track_f0
from voiceswap.errors import AudioError, VoiceswapError
from voiceswap.features import AudioConfig, log_f0_statistics
from voiceswap.notes import notes_to
from voiceswap.results_log import JOURNAL_NAME

MOST_FILES = 200  # more, evenly spread among them, tell nothing new
MIN_VOICED_SECONDS = 1.0  # less tells no range
# Of ln F0, 0.002 semitones: the last bits depend on the number of threads, and a batch converts
# again what was converted with another pitch.
DECIMALS = 4

Paths = str | os.PathLike | Sequence[str | os.PathLike]


def source_pitch(recordings: Paths) -> tuple[float, float]:
    """Mean and deviation of ln F0 in Hz over all of one person's recordings.

    As `ConversionOptions.source_pitch` it leaves each of them where it is in the person's range: a
    shout stays higher than calm words. By its own statistics, each would come out at one pitch.

    Args:
        recordings: files and folders, with the folders in them, but for hidden ones and outputs of
            `voiceswap batch`. Those that can't be used are left out, and of very many some.

    Raises:
        VoiceswapError: there is none, a file does not exist, or hardly any voice is in them.
    """
    given = _paths(recordings)
    files = [file for path in given for file in _recordings_below(path)]
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
    mean, deviation = log_f0_statistics(f0)
    return round(mean, DECIMALS), round(deviation, DECIMALS)


def _paths(recordings: Any) -> list[Path]:
    """What is given, one or several, as paths; a file that is not there raises VoiceswapError."""
    one = isinstance(recordings, (str, os.PathLike))
    try:
        names = [os.fspath(item) for item in ([recordings] if one else recordings)]
    except TypeError:
        names = []
    if not names or not all(isinstance(name, str) and name for name in names):
        raise VoiceswapError(
            "A source's pitch is measured in recordings: give the paths of files or folders."
        )
    for name in names:
        if "://" in name:
            raise VoiceswapError(
                f"{name} is an address; a source's pitch is measured in files, so download it."
            )
        if not (os.path.isdir(name) or Path(name).is_fifo()):
            require_file(Path(name))
    return [Path(name) for name in names]


def _recordings_below(path: Path) -> list[Path]:
    """`path` itself, or the recordings in a folder and those in it, in the order of names.

    Conversions in it are of another voice, and would change the pitch from run to run.
    """
    if not path.is_dir():
        return [path]
    inside: list[Path] = []
    known: set[str] = set()
    for place, folders, names in os.walk(path, followlinks=True):
        if (real := os.path.realpath(place)) in known:  # a link may lead to a parent
            folders.clear()
            continue
        known.add(real)
        folders[:] = [name for name in folders if name[0] != "." and not _is_output(place, name)]
        files = [Path(place, name) for name in names if name[0] != "."]
        inside += [file for file in files if file.suffix[1:].lower() in SOUND_ENDINGS]
    inside = sorted(file for file in inside if os.path.isfile(file))
    if not inside:
        raise VoiceswapError(f"There is no recording in the folder {path}.")
    return inside


def _is_output(place: str, folder: str) -> bool:
    return os.path.isfile(os.path.join(place, folder, JOURNAL_NAME))
