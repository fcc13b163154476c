"""LibriTTS and LibriTTS-R: PART/SPEAKER/CHAPTER/SPEAKER_CHAPTER_PARAGRAPH_SENTENCE.wav, 24 kHz.

LibriSpeech's readers, so never train on both and test on one: a speaker's number is the same in the two. Give a part
such as `LibriTTS/train-clean-360`. The archives hold `._` files that are no sound, which are passed over, and one wave
file known to be damaged (1092_134562_000013_000004), which is listed as such.
"""

from pathlib import Path

from data_prep.manifests import Corpus, Found, audio_files, write_manifests
from data_prep.speech_check import STANDARD, Checks
from voiceswap.errors import DataError


def prepare_libritts(
    folder: Path, out: Path, checks: Checks = STANDARD, name: str = "libritts"
) -> dict[str, int | str]:
    """One part of LibriTTS or LibriTTS-R, such as LibriTTS/train-clean-360."""
    files = [path for path in audio_files(folder) if len(path.relative_to(folder).parts) == 3]
    if not files:
        raise DataError(
            f"{folder} holds no SPEAKER/CHAPTER/*.wav; give a part such as LibriTTS/train-clean-360."
        )
    return write_manifests(
        (Found(path.parts[-3], path) for path in files), Corpus(name, "CC BY 4.0"), out, checks
    )
