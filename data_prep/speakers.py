"""Any folder with one folder of recordings a speaker: SPEAKER/*.wav (or flac, ogg, opus, mp3, aiff)."""

from pathlib import Path

from data_prep.manifests import audio_files, write_manifests
from voiceswap.errors import DataError


def prepare_speakers(folder: Path, out: Path, name: str = "speakers") -> dict[str, int | str]:
    """Manifests of a folder of speakers; `name` tells several such folders apart."""
    files = [path for path in audio_files(folder) if len(path.relative_to(folder).parts) >= 2]
    if not files:
        raise DataError(f"{folder} holds no SPEAKER/RECORDING files.")
    return write_manifests(((path.relative_to(folder).parts[0], path) for path in files), name, out)
