"""Voices to start with: nobody's, drawn from the model's prior."""

from pathlib import Path

from voiceswap.conversion.swapper import VoiceSwapper
from voiceswap.conversion.voice_library import VoiceLibrary

SEEDS = {"Basalt": 14, "Cedar": 23, "Flint": 33, "Willow": 13, "Coral": 8, "Wren": 29}


def open_library(folder: Path, swapper: VoiceSwapper) -> VoiceLibrary:
    """The library of a folder; an empty one gets the voices to start with."""
    library = VoiceLibrary(folder, swapper)
    if not library.names():
        for name, seed in SEEDS.items():
            library.add(name, swapper.sample(seed))
    return library
