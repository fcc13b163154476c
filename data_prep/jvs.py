"""JVS: SPEAKER/STYLE/wav24kHz16bit/NAME.wav, 24 kHz, 100 speakers of Japanese, jvs001 to jvs100.

Only `parallel100` and `nonpara30` are read: `whisper10` has no pitch, and the pitch of `falset10`
is not the speaker's usual one. Styles share file names, so a recording's name includes its style.
"""

from pathlib import Path

from data_prep.manifests import Corpus, CorpusRecording, write_manifests
from data_prep.speech_check import DEFAULT_CHECKS, Checks
from voiceswap.errors import DataError

STYLES = ("parallel100", "nonpara30")


def prepare_jvs(
    folder: Path, out: Path, checks: Checks = DEFAULT_CHECKS, name: str = "jvs"
) -> dict[str, int | str]:
    """JVS, the folder with jvs001 to jvs100 in it."""
    files = [
        path for style in STYLES for path in folder.glob(f"jvs[0-9]*/{style}/wav24kHz16bit/*.wav")
    ]
    recordings = [
        CorpusRecording(path.parts[-4], path, f"{path.parts[-3]}-{path.stem}") for path in files
    ]
    if not recordings:
        raise DataError(
            f"{folder} holds no jvs001/parallel100/wav24kHz16bit/*.wav; give the folder jvs_ver1."
        )
    return write_manifests(
        recordings,
        Corpus(name, "research and personal use (CC BY-SA 4.0 for its texts)"),
        out,
        checks,
    )
