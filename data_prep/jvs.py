"""JVS: SPEAKER/STYLE/wav24kHz16bit/NAME.wav, 24 kHz, 100 speakers of Japanese, jvs001 to jvs100.

Read are `parallel100` and `nonpara30`; `whisper10` has no pitch and `falset10` not the speaker's own, so they are left
aside. Sentences are named alike in all styles, so a style is part of a recording's name.
"""

from pathlib import Path

from data_prep.manifests import Corpus, Found, write_manifests
from data_prep.speech_check import STANDARD, Checks
from voiceswap.errors import DataError

STYLES = ("parallel100", "nonpara30")


def prepare_jvs(
    folder: Path, out: Path, checks: Checks = STANDARD, name: str = "jvs"
) -> dict[str, int | str]:
    """JVS, the folder with jvs001 to jvs100 in it."""
    files = [
        path for style in STYLES for path in folder.glob(f"jvs[0-9]*/{style}/wav24kHz16bit/*.wav")
    ]
    found = [Found(path.parts[-4], path, f"{path.parts[-3]}-{path.stem}") for path in files]
    if not found:
        raise DataError(
            f"{folder} holds no jvs001/parallel100/wav24kHz16bit/*.wav; give the folder jvs_ver1."
        )
    return write_manifests(
        found, Corpus(name, "research and personal use (CC BY-SA 4.0 for its texts)"), out, checks
    )
