"""VCTK 0.92: wav48_silence_trimmed/SPEAKER/SPEAKER_NUMBER_micN.flac, 48 kHz.

110 speakers of English. Every sentence was recorded by two microphones at once. The first is used,
since p280 and p315 lack the second. End pauses are already cut. All speakers read the same first 24
sentences.
"""

from pathlib import Path

from data_prep.manifests import Corpus, CorpusRecording, write_manifests
from data_prep.speech_check import DEFAULT_CHECKS, Checks
from voiceswap.errors import DataError


def prepare_vctk(
    folder: Path, out: Path, checks: Checks = DEFAULT_CHECKS, name: str = "vctk"
) -> dict[str, int | str]:
    """VCTK 0.92, the folder with wav48_silence_trimmed in it."""
    files = folder.glob("wav48_silence_trimmed/*/*_mic1.flac")
    recordings = [
        CorpusRecording(path.parent.name, path, path.stem.removesuffix("_mic1")) for path in files
    ]
    if not recordings:
        raise DataError(
            f"{folder} holds no wav48_silence_trimmed/SPEAKER/*_mic1.flac; give the folder of VCTK "
            "0.92."
        )
    return write_manifests(recordings, Corpus(name, "CC BY 4.0"), out, checks)
