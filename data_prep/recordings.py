"""Recordings of unknown speakers: any audio files below a folder, each taken as another speaker.

Training takes two segments of every speaker, so recordings under about 5 s are of no use here.
Where one person speaks in several files, sort the files into folders by speaker and use `speakers`:
the contrastive loss pushes the codes of different speakers apart.
"""

from pathlib import Path

from data_prep.distinct_names import distinct_names
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
    inside = [path.relative_to(folder) for path in files]
    names = ["-".join(path.with_suffix("").parts) for path in inside]
    # A talk.wav and a talk.mp3, or an a-b.wav and an a/b.wav, are two speakers.
    speakers = distinct_names(names, [path.as_posix() for path in inside])
    recordings = map(CorpusRecording, speakers, files)
    return write_manifests(recordings, Corpus(name, "not stated"), out, checks)
