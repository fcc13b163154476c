"""Multilingual LibriSpeech, 16 kHz.

Files: mls_LANGUAGE[_opus]/{train,dev,test}/audio/SPEAKER/BOOK/SPEAKER_BOOK_NUMBER.{flac,opus}.

Only `train` is read: dev and test have other speakers and are for tests. Give one language's
folder. A speaker of several languages has the same number in all, so a speaker's name includes the
language. Opus files contain 16 kHz speech, whatever rate their header has.
"""

from pathlib import Path

from data_prep.manifests import Corpus, CorpusRecording, audio_files, write_manifests
from data_prep.speech_check import DEFAULT_CHECKS, Checks
from voiceswap.errors import DataError


def prepare_mls(
    folder: Path, out: Path, checks: Checks = DEFAULT_CHECKS, name: str | None = None
) -> dict[str, int | str]:
    """One language of Multilingual LibriSpeech, such as mls_polish_opus."""
    audio = folder / "train" / "audio"
    language = folder.resolve().name.removeprefix("mls_").removesuffix("_opus")
    recordings = [
        CorpusRecording(path.parts[-3], path)
        for path in audio_files(audio)
        if len(path.relative_to(audio).parts) == 3
    ]
    if not recordings:
        raise DataError(
            f"{folder} holds no train/audio/SPEAKER/BOOK/*.flac or *.opus; give one language, such "
            "as mls_polish_opus."
        )
    return write_manifests(recordings, Corpus(name or f"mls-{language}", "CC BY 4.0"), out, checks)
