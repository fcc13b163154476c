"""CMU ARCTIC: cmu_us_SPEAKER_arctic/wav/arctic_[ab]NUMBER.wav, 16 kHz.

Up to 18 speakers of English read the same 1,132 sentences, so file names repeat: good for
parallel tests. Some archives also have `orig/`, with the electroglottograph as a second channel;
only `wav/` is used. Folders of older releases have a version after `arctic`.
"""

from pathlib import Path

from data_prep.manifests import Corpus, CorpusRecording, write_manifests
from data_prep.speech_check import DEFAULT_CHECKS, Checks
from voiceswap.errors import DataError


def prepare_cmu_arctic(
    folder: Path, out: Path, checks: Checks = DEFAULT_CHECKS, name: str = "cmu-arctic"
) -> dict[str, int | str]:
    """CMU ARCTIC, a folder with cmu_us_*_arctic folders in it."""
    recordings = [
        CorpusRecording(path.parts[-3].split("_")[2], path)
        for path in folder.glob("cmu_us_*_arctic*/wav/*.wav")
    ]
    if not recordings:
        raise DataError(f"{folder} holds no cmu_us_SPEAKER_arctic/wav/*.wav.")
    return write_manifests(
        recordings, Corpus(name, "free for any use, with its notice kept (CMU)"), out, checks
    )
