"""LJSpeech 1.1: wavs/LJ*.wav, 22.05 kHz, one woman reading English for 24 hours.

One voice alone teaches an autoencoder nothing about voices: use it beside other corpora, or for a vocoder.
"""

from pathlib import Path

from data_prep.manifests import Corpus, Found, write_manifests
from data_prep.speech_check import STANDARD, Checks
from voiceswap.errors import DataError


def prepare_ljspeech(
    folder: Path, out: Path, checks: Checks = STANDARD, name: str = "ljspeech"
) -> dict[str, int | str]:
    """LJSpeech 1.1, the folder with wavs in it."""
    found = [Found("LJ", path) for path in folder.glob("wavs/LJ*.wav")]
    if not found:
        raise DataError(f"{folder} holds no wavs/LJ*.wav; give the folder LJSpeech-1.1.")
    return write_manifests(found, Corpus(name, "public domain"), out, checks)
