"""Options that several commands have, with the ranges of `ConversionOptions`."""

from typing import Annotated

import typer

from voiceswap.conversion.options import RANGES


def _range(name: str, help: str) -> typer.models.OptionInfo:
    low, high = RANGES[name]
    return typer.Option(min=low, max=high, help=help)


Pitch = Annotated[float, _range("pitch_shift", "Semitones above the target's own pitch.")]
PitchRange = Annotated[float, _range("pitch_range", "Widens (above 1) or flattens the intonation.")]
Strength = Annotated[
    float, _range("strength", "How far to go from the source's voice to the target's.")
]
Seed = Annotated[
    int | None, typer.Option(min=0, help="Draw another reading of the same words, by a number.")
]
Model = Annotated[
    str, typer.Option("--checkpoint", help="A model file, or 'default' for the one in the package.")
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 or mps.")]
