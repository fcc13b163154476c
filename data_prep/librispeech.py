"""LibriSpeech: PART/SPEAKER/CHAPTER/SPEAKER-CHAPTER-NUMBER.flac, 16 kHz.

Give a part such as `LibriSpeech/train-clean-100`, not the whole corpus, so that test parts are
never trained on by accident. The recordings were MP3 files before, so there is little above 7 kHz.
Parts share no speakers.
"""

from pathlib import Path

from data_prep.manifests import Corpus, CorpusRecording, audio_files, write_manifests
from data_prep.speech_check import DEFAULT_CHECKS, Checks
from voiceswap.errors import DataError


def prepare_librispeech(
    folder: Path, out: Path, checks: Checks = DEFAULT_CHECKS, name: str = "librispeech"
) -> dict[str, int | str]:
    """One part of LibriSpeech, such as LibriSpeech/train-clean-100."""
    files = [path for path in audio_files(folder) if len(path.relative_to(folder).parts) == 3]
    if not files:
        raise DataError(
            f"{folder} holds no SPEAKER/CHAPTER/*.flac; give a part such as "
            "LibriSpeech/train-clean-100."
        )
    return write_manifests(
        (CorpusRecording(path.parts[-3], path) for path in files),
        Corpus(name, "CC BY 4.0"),
        out,
        checks,
    )
