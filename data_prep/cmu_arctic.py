"""CMU ARCTIC: cmu_us_SPEAKER_arctic/wav/arctic_[ab]NUMBER.wav, 16 kHz, up to 18 speakers of English.

All speakers read the same 1,132 sentences, so file names repeat from speaker to speaker: good for parallel tests. Some
archives hold `orig/` too, with the electroglottograph as a second channel; only `wav/` is used. Folders of older
releases carry a version after `arctic`.
"""

from pathlib import Path

from data_prep.manifests import Corpus, Found, write_manifests
from data_prep.speech_check import STANDARD, Checks
from voiceswap.errors import DataError


def prepare_cmu_arctic(
    folder: Path, out: Path, checks: Checks = STANDARD, name: str = "cmu-arctic"
) -> dict[str, int | str]:
    """CMU ARCTIC, a folder with cmu_us_*_arctic folders in it."""
    found = [
        Found(path.parts[-3].split("_")[2], path)
        for path in folder.glob("cmu_us_*_arctic*/wav/*.wav")
    ]
    if not found:
        raise DataError(f"{folder} holds no cmu_us_SPEAKER_arctic/wav/*.wav.")
    return write_manifests(
        found, Corpus(name, "free for any use, with its notice kept (CMU)"), out, checks
    )
