"""Loose recordings with no speaker known: any audio files below a folder, each counted as a voice of its own.

A voice needs two pieces_ of speech, so recordings under about 5 s are of no use here. Where one person speaks in many
files, sort them into folders and use `speakers`: the contrastive loss takes two voices for different ones.
"""

from pathlib import Path

from data_prep.manifests import Corpus, Found, audio_files, write_manifests
from data_prep.speech_check import STANDARD, Checks
from voiceswap.errors import DataError


def prepare_recordings(
    folder: Path, out: Path, checks: Checks = STANDARD, name: str = "recordings"
) -> dict[str, int | str]:
    """Loose recordings with no speaker known; each counts as a voice of its own."""
    files = audio_files(folder)
    if not files:
        raise DataError(f"{folder} holds no recordings.")
    found = (
        Found("-".join(path.relative_to(folder).with_suffix("").parts), path) for path in files
    )
    return write_manifests(found, Corpus(name, "not stated"), out, checks)
