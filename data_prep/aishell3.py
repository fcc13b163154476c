"""AISHELL-3: {train,test}/wav/SPEAKER/SPEAKERNUMBER.wav, 44.1 kHz, 218 speakers of Mandarin.

Its own train and test parts share speakers, so both are read, and split again by speaker.
"""

from pathlib import Path

from data_prep.manifests import Corpus, CorpusRecording, write_manifests
from data_prep.speech_check import DEFAULT_CHECKS, Checks
from voiceswap.errors import DataError


def prepare_aishell3(
    folder: Path, out: Path, checks: Checks = DEFAULT_CHECKS, name: str = "aishell3"
) -> dict[str, int | str]:
    """AISHELL-3, the folder with train and test in it."""
    recordings = [
        CorpusRecording(path.parent.name, path) for path in folder.glob("*/wav/SSB*/*.wav")
    ]
    if not recordings:
        raise DataError(f"{folder} holds no train/wav/SPEAKER/*.wav; give the folder of AISHELL-3.")
    return write_manifests(recordings, Corpus(name, "Apache-2.0"), out, checks)
