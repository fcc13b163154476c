"""AISHELL-3: {train,test}/wav/SPEAKER/SPEAKERNUMBER.wav, 44.1 kHz, 218 speakers of Mandarin.

Its own train and test parts share speakers, so both are read and split anew by speaker.
"""

from pathlib import Path

from data_prep.manifests import Corpus, Found, write_manifests
from data_prep.speech_check import STANDARD, Checks
from voiceswap.errors import DataError


def prepare_aishell3(
    folder: Path, out: Path, checks: Checks = STANDARD, name: str = "aishell3"
) -> dict[str, int | str]:
    """AISHELL-3, the folder with train and test in it."""
    found = [Found(path.parent.name, path) for path in folder.glob("*/wav/SSB*/*.wav")]
    if not found:
        raise DataError(f"{folder} holds no train/wav/SPEAKER/*.wav; give the folder of AISHELL-3.")
    return write_manifests(found, Corpus(name, "Apache-2.0"), out, checks)
