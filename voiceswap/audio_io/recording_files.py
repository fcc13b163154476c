"""Files of recordings: whether they are there, and those in folders."""

from collections.abc import Sequence
from pathlib import Path

from voiceswap.audio_io.endings import SOUND_ENDINGS
from voiceswap.errors import VoiceswapError


def recordings_in(paths: Sequence[Path]) -> list[Path]:
    """The recordings among `paths`, and those in the folders among them, by name.

    Raises VoiceswapError for a folder without any.
    """
    found: list[Path] = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        sounds = [item for item in path.iterdir() if item.suffix[1:].lower() in SOUND_ENDINGS]
        inside = sorted(item for item in sounds if item.is_file() and item.name[0] != ".")
        if not inside:
            raise VoiceswapError(f"There is no recording in the folder {path}.")
        found += inside
    return found


def name_of(path: Path) -> str:
    """What is made of a recording, or of a folder of them, is called after it."""
    return path.resolve().name if path.is_dir() else path.stem


def require_recordings(*paths: Path) -> None:
    """Raise AudioError for what is no file with sound, before anything takes time.

    Pipes can wait.
    """
    from voiceswap.audio_io.decoding import sound_info

    for path in paths:
        if not path.is_fifo():
            sound_info(path)


def require_any_recording(*paths: Path) -> None:
    """Raise AudioError for what is no file, or where none has sound; pipes can wait."""
    from voiceswap.audio_io.decoding import require_file
    from voiceswap.errors import AudioError

    problems = []
    for path in paths:
        if not path.is_fifo():
            require_file(path)
        try:
            require_recordings(path)
        except AudioError as error:
            problems.append(error)
    if len(problems) == len(paths):
        raise problems[0]


def require_references(*paths: Path) -> None:
    """Raise VoiceswapError for what is neither a recording nor a saved voice; pipes can wait."""
    from voiceswap.audio_io.decoding import require_file

    for path in paths:
        if path.suffix.lower() == ".safetensors":
            require_file(path)
        else:
            require_recordings(path)
