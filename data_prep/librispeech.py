"""LibriSpeech: PART/SPEAKER/CHAPTER/SPEAKER-CHAPTER-NUMBER.flac, 16 kHz, CC BY 4.0.

Transcripts are not needed. Give a part such as `LibriSpeech/train-clean-100`, not the whole corpus, so that test parts
are never trained on by accident.
"""

from pathlib import Path

from data_prep.manifests import audio_files, write_manifests
from voiceswap.errors import DataError


def prepare_librispeech(part: Path, out: Path) -> dict[str, int | str]:
    """Manifests of one part of LibriSpeech."""
    files = [path for path in audio_files(part) if len(path.relative_to(part).parts) == 3]
    if not files:
        raise DataError(f"{part} holds no SPEAKER/CHAPTER/*.flac; give a part such as LibriSpeech/train-clean-100.")
    return write_manifests(((path.parts[-3], path) for path in files), "librispeech", out)
