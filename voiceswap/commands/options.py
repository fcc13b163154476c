"""Options that several commands have, with the ranges of `ConversionOptions`."""

import math
from collections.abc import Callable
from typing import Annotated, Any, Literal

import typer

from voiceswap.commands.outputs import console
from voiceswap.conversion.options import RANGES, pitch_options
from voiceswap.errors import OptionError, VoiceswapError

FREE_NAME = "A default name that is taken gets a number."  # of every command that has one
LatencyName = Literal["low", "normal", "high"]


def number(low: float, high: float = math.inf) -> Callable[[typer.CallbackParam, float], float]:
    """A check of an option's value, which also refuses NaN and infinity."""

    def check(option: typer.CallbackParam, value: float) -> float:
        if not (low <= value <= high and math.isfinite(value)):
            above = f"from {low:g} to {high:g}" if math.isfinite(high) else f"of {low:g} or more"
            raise OptionError(f"{option.opts[0]} is {value:g}, but must be a number {above}.")
        return value

    return check


def _range(name: str, help: str) -> typer.models.OptionInfo:
    low, high = RANGES[name]
    return typer.Option(callback=number(low, high), help=f"{help} From {low:g} to {high:g}.")


def _pitch_option(pitch: str) -> dict[str, Any]:
    try:
        return pitch_options(pitch)
    except VoiceswapError as error:
        raise OptionError(f"--{error}") from error  # "pitch is ...", as lists call it


def pitch_of(source_voice: list[str] | None) -> tuple[float, float] | None:
    """What `--source-voice` means, with a line on the terminal while it is measured."""
    if not source_voice:
        return None
    with console.status("Measuring the source's pitch ..."):
        from voiceswap.conversion.source_pitch import source_pitch

        return source_pitch(source_voice)


Pitch = Annotated[float, _range("pitch_shift", "Semitones above the target's own pitch.")]
PitchOptions = Annotated[  # those of `pitch_options`
    dict,
    typer.Option(
        "--pitch",
        parser=_pitch_option,
        metavar="SEMITONES|exact",
        help="Semitones above the target's own pitch, from -24 to 24; or exact, for songs: the "
        "source's intervals, and its octave where the target's voice can sing it; exact+12 is an "
        "octave higher.",
    ),
]
PitchRange = Annotated[
    float, _range("pitch_range", "Widens the intonation above 1, flattens it below.")
]
SourceVoice = Annotated[
    list[str] | None,
    typer.Option(
        help="Recordings of the one who speaks in every source, or a folder of them, such as the "
        "sources themselves. Each source then keeps its place in that person's range of pitch: a "
        "shout stays higher than calm words. Otherwise each comes out at the target's mean pitch.",
        show_default=False,
    ),
]
Strength = Annotated[float, _range("strength", "0 keeps the source's voice, 1 gives the target's.")]
Seed = Annotated[
    int | None, typer.Option(min=0, help="Each number gives a slightly different result.")
]
Rate = Annotated[
    int | None,
    typer.Option(
        min=RANGES["rate"][0],
        max=RANGES["rate"][1],
        help="Sample rate of the result in Hz, such as 48000 for a song's other tracks.",
        show_default="the model's, 24000",
    ),
]
NoTags = Annotated[
    bool,
    typer.Option(
        "--no-tags",
        help="Leave out the source's title, artist and other tags, chapters and cover, which may "
        "name who speaks.",
    ),
]
Overwrite = Annotated[
    bool,
    typer.Option(
        "--overwrite",
        help="Replace what has the default name, and write over a file that the command reads.",
    ),
]
Model = Annotated[
    str, typer.Option("--checkpoint", help="A model file, or 'default' for the one in the package.")
]
Device = Annotated[str, typer.Option(help="auto (CUDA or the CPU), cpu, cuda, cuda:1 or mps.")]
Precision = Annotated[
    Literal["auto", "fp32"],
    typer.Option(
        help="fp32 computes in 32 bits throughout; auto multiplies in 16 where that is quicker."
    ),
]
