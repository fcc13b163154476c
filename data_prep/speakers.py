"""Any folder with one folder of recordings a speaker: SPEAKER/*.wav (or flac, ogg, opus, mp3, aiff)."""

from pathlib import Path

from data_prep.manifests import Corpus, Found, audio_files, write_manifests
from data_prep.speech_check import STANDARD, Checks
from voiceswap.errors import DataError


def prepare_speakers(
    folder: Path, out: Path, checks: Checks = STANDARD, name: str = "speakers"
) -> dict[str, int | str]:
    """A folder with one folder of recordings a speaker; --name tells several such folders apart."""
    files = [path for path in audio_files(folder) if len(path.relative_to(folder).parts) >= 2]
    if not files:
        raise DataError(
            f"{folder} holds no SPEAKER/RECORDING files; where nobody knows who speaks, use: python -m data_prep recordings."
        )
    found = (Found(path.relative_to(folder).parts[0], path) for path in files)
    return write_manifests(found, Corpus(name, "not stated"), out, checks)
