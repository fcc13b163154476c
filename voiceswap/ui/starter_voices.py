"""Voices to start with: random ones, which nobody has."""

from pathlib import Path

from voiceswap.conversion.swapper import VoiceSwapper
from voiceswap.conversion.voice_library import VoiceLibrary
from voiceswap.ui.texts import LANGUAGES

NAMES = {  # by their seeds, in each of LANGUAGES
    46: ("Basalt", "磐石"),
    44: ("Cedar", "雪松"),
    41: ("Flint", "燧石"),
    10: ("Willow", "垂柳"),
    23: ("Coral", "珊瑚"),
    29: ("Wren", "云雀"),
}


def open_library(folder: Path, swapper: VoiceSwapper, language: str) -> VoiceLibrary:
    """The library of a folder; an empty one gets the voices to start with, named in a language."""
    library = VoiceLibrary(folder, swapper)
    if not library.names():
        for seed, names in NAMES.items():
            library.add(names[LANGUAGES.index(language)], swapper.sample(seed))
    return library
