"""Emotional Speech Dataset: SPEAKER/EMOTION/[PART/]SPEAKER_NUMBER.wav, 16 kHz; 0001 to 0010 Mandarin, 0011 to 0020 English.

Each of 20 speakers says 350 sentences in five emotions: little speech of other emotions is as well kept. One release
has the folders train, evaluation and test below an emotion; they share speakers, so all are read and split anew.
"""

from pathlib import Path

from data_prep.manifests import Corpus, Found, audio_files, write_manifests
from data_prep.speech_check import STANDARD, Checks
from voiceswap.errors import DataError


def prepare_esd(
    folder: Path, out: Path, checks: Checks = STANDARD, name: str = "esd"
) -> dict[str, int | str]:
    """The Emotional Speech Dataset, the folder with 0001 to 0020 in it."""
    files = [path for path in audio_files(folder) if path.relative_to(folder).parts[0].isdigit()]
    found = [
        Found(path.relative_to(folder).parts[0], path)
        for path in files
        if len(path.relative_to(folder).parts) in (3, 4)
    ]
    if not found:
        raise DataError(
            f"{folder} holds no 0001/EMOTION/*.wav; give the folder of the Emotional Speech Dataset."
        )
    return write_manifests(
        found, Corpus(name, "research only, by agreement with its authors"), out, checks
    )
