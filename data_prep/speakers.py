"""A folder with a folder of recordings for each speaker: SPEAKER/*.wav (flac, ogg, mp3, ...)."""

from pathlib import Path

from data_prep.manifests import Corpus, CorpusRecording, audio_files, write_manifests
from data_prep.speech_check import DEFAULT_CHECKS, Checks
from voiceswap.errors import DataError


def prepare_speakers(
    folder: Path, out: Path, checks: Checks = DEFAULT_CHECKS, name: str = "speakers"
) -> dict[str, int | str]:
    """A folder with a folder for each speaker; --name tells several such folders apart."""
    found = audio_files(folder)
    files = [path for path in found if path.parent != folder]
    loose = {str(path): "in no speaker's folder" for path in found if path.parent == folder}
    if not files:
        raise DataError(
            f"{folder} holds no SPEAKER/RECORDING files; if the speakers are unknown, use: "
            "python -m data_prep recordings."
        )
    recordings = (CorpusRecording(path.relative_to(folder).parts[0], path) for path in files)
    return write_manifests(recordings, Corpus(name, "not stated"), out, checks, loose)
