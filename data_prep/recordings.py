"""Recordings of unknown speakers: any audio files below a folder, each taken as another speaker.

Training takes two segments of every speaker, so recordings under about 5 s are of no use here.
Where one person speaks in several files, sort the files into folders by speaker and use `speakers`:
the contrastive loss pushes the codes of different speakers apart.
"""

from pathlib import Path

from data_prep.manifests import Corpus, CorpusRecording, audio_files, write_manifests
from data_prep.speech_check import DEFAULT_CHECKS, Checks
from voiceswap.errors import DataError


def prepare_recordings(
    folder: Path, out: Path, checks: Checks = DEFAULT_CHECKS, name: str = "recordings"
) -> dict[str, int | str]:
    """Recordings of unknown speakers; each is taken as another speaker."""
    files = audio_files(folder)
    if not files:
        raise DataError(f"{folder} holds no recordings.")
    recordings = (
        CorpusRecording("-".join(path.relative_to(folder).with_suffix("").parts), path)
        for path in files
    )
    return write_manifests(recordings, Corpus(name, "not stated"), out, checks)
