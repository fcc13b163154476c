"""Emotional Speech Dataset: SPEAKER/EMOTION/[PART/]SPEAKER_NUMBER.wav, 16 kHz.

Speakers 0001 to 0010 speak Mandarin, 0011 to 0020 English. Each of the 20 reads 350 sentences in
five emotions; few corpora of emotional speech are as clean. One release has the folders train,
evaluation and test below an emotion. They share speakers, so all are read, and split again by
speaker.
"""

from pathlib import Path

from data_prep.manifests import Corpus, CorpusRecording, audio_files, write_manifests
from data_prep.speech_check import DEFAULT_CHECKS, Checks
from voiceswap.errors import DataError


def prepare_esd(
    folder: Path, out: Path, checks: Checks = DEFAULT_CHECKS, name: str = "esd"
) -> dict[str, int | str]:
    """The Emotional Speech Dataset, the folder with 0001 to 0020 in it."""
    files = [path for path in audio_files(folder) if path.relative_to(folder).parts[0].isdigit()]
    recordings = [
        CorpusRecording(path.relative_to(folder).parts[0], path)
        for path in files
        if len(path.relative_to(folder).parts) in (3, 4)
    ]
    if not recordings:
        raise DataError(
            f"{folder} holds no 0001/EMOTION/*.wav; give the folder of the Emotional Speech "
            "Dataset."
        )
    return write_manifests(
        recordings, Corpus(name, "research only, by agreement with its authors"), out, checks
    )
