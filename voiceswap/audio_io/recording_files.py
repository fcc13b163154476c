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


def require_files(*paths: Path) -> None:
    """Raise AudioError for what is no file, before anything takes time; pipes can wait."""
    from voiceswap.audio_io.decoding import require_file

    for path in paths:
        if not path.is_fifo():
            require_file(path)
