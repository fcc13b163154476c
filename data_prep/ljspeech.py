"""LJSpeech 1.1: wavs/LJ*.wav, 22.05 kHz, one woman reading English for 24 hours.

An autoencoder can't learn to separate voices from a single one: use it together with other corpora,
or for a vocoder.
"""

from pathlib import Path

from data_prep.manifests import Corpus, CorpusRecording, write_manifests
from data_prep.speech_check import DEFAULT_CHECKS, Checks
from voiceswap.errors import DataError


def prepare_ljspeech(
    folder: Path, out: Path, checks: Checks = DEFAULT_CHECKS, name: str = "ljspeech"
) -> dict[str, int | str]:
    """LJSpeech 1.1, the folder with wavs in it."""
    recordings = [CorpusRecording("LJ", path) for path in folder.glob("wavs/LJ*.wav")]
    if not recordings:
        raise DataError(f"{folder} holds no wavs/LJ*.wav; give the folder LJSpeech-1.1.")
    return write_manifests(recordings, Corpus(name, "public domain"), out, checks)
