"""LibriTTS and LibriTTS-R: PART/SPEAKER/CHAPTER/SPEAKER_CHAPTER_PARAGRAPH_SENTENCE.wav, 24 kHz.

It has LibriSpeech's speakers, under the same numbers: don't train on one and test on the other.
Give a part such as `LibriTTS/train-clean-360`. The archives contain `._` files without audio, which
are skipped, and one damaged wave file (1092_134562_000013_000004), which is reported as left out.
"""

from pathlib import Path

from data_prep.manifests import Corpus, CorpusRecording, audio_files, write_manifests
from data_prep.speech_check import DEFAULT_CHECKS, Checks
from voiceswap.errors import DataError


def prepare_libritts(
    folder: Path, out: Path, checks: Checks = DEFAULT_CHECKS, name: str = "libritts"
) -> dict[str, int | str]:
    """One part of LibriTTS or LibriTTS-R, such as LibriTTS/train-clean-360."""
    files = [path for path in audio_files(folder) if len(path.relative_to(folder).parts) == 3]
    if not files:
        raise DataError(
            f"{folder} holds no SPEAKER/CHAPTER/*.wav; give a part such as "
            "LibriTTS/train-clean-360."
        )
    return write_manifests(
        (CorpusRecording(path.parts[-3], path) for path in files),
        Corpus(name, "CC BY 4.0"),
        out,
        checks,
    )
