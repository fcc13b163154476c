"""Multilingual LibriSpeech: mls_LANGUAGE[_opus]/{train,dev,test}/audio/SPEAKER/BOOK/SPEAKER_BOOK_NUMBER.{flac,opus}, 16 kHz.

Its dev and test parts share no speakers with train and are for tests: only `train` is read. Give one language's folder;
readers of several languages keep their number, so a language is part of a speaker's name. Opus files hold 16 kHz speech
however their header names it.
"""

from pathlib import Path

from data_prep.manifests import Corpus, Found, audio_files, write_manifests
from data_prep.speech_check import STANDARD, Checks
from voiceswap.errors import DataError


def prepare_mls(
    folder: Path, out: Path, checks: Checks = STANDARD, name: str | None = None
) -> dict[str, int | str]:
    """One language of Multilingual LibriSpeech, such as mls_polish_opus."""
    audio, language = (
        folder / "train" / "audio",
        folder.resolve().name.removeprefix("mls_").removesuffix("_opus"),
    )
    found = [
        Found(path.parts[-3], path)
        for path in audio_files(audio)
        if len(path.relative_to(audio).parts) == 3
    ]
    if not found:
        raise DataError(
            f"{folder} holds no train/audio/SPEAKER/BOOK/*.flac or *.opus; give one language, such as mls_polish_opus."
        )
    return write_manifests(found, Corpus(name or f"mls-{language}", "CC BY 4.0"), out, checks)
