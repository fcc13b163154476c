"""How one recording is converted."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import Any

from voiceswap.errors import VoiceswapError

RANGES: dict[str, tuple[float, float]] = {
    "pitch_shift": (-24, 24),
    "pitch_range": (0, 3),
    "strength": (0, 1),
    "seed": (0, 2**63 - 1),
    "rate": (4000, 192000),
    "steps": (1, 10**6),  # of `VoiceSwapper.adapt`
    "batch_size": (1, 10**6),  # of `VoiceSwapper.load`
}
LOG_F0 = (4.0, 7.1)  # mean ln F0 that a person can have: 55 to 1200 Hz
WHOLE = ("seed", "rate", "steps", "batch_size")


@dataclass(frozen=True, kw_only=True)
class ConversionOptions:
    """How one recording is converted, and how it is written.

    Attributes:
        pitch_shift: semitones above the target's own pitch, -24 to 24.
        pitch_range: factor of the intonation's width, 0 to 3; 0 is monotone.
        exact_pitch: keep the source's intervals, as a song needs, and its octave where the target's
            voice can sing it; `pitch_shift` is then from there. Otherwise the intonation's width
            is between both voices' own.
        source_pitch: mean and deviation of ln F0 of the one who speaks in the source, from
            `voiceswap.source_pitch`; None takes the source's own, which bring every source to the
            target's pitch.
        strength: how far to go from the source's voice (0) to the target's (1).
        seed: draws the content code from its posterior, from 0 to 2**63 - 1; None takes the mean.
        rate: sample rate of the output in Hz, 4000 to 192000; None is the model's.
        subtype: sample format of a file as soundfile names it, such as "PCM_24". None is the
            source's where that has more than 16 bits and the file's format can hold it, and the
            format's usual one otherwise.
        tags: whether a file gets its source's tags, chapters and cover, which may name who speaks.

    Raises:
        VoiceswapError: a value is out of its range or no number.
    """

    pitch_shift: float = 0.0
    pitch_range: float = 1.0
    exact_pitch: bool = False
    source_pitch: tuple[float, float] | None = None
    strength: float = 1.0
    seed: int | None = None
    rate: int | None = None
    subtype: str | None = None
    tags: bool = True

    def __post_init__(self) -> None:
        for option in fields(self):
            value = getattr(self, option.name)
            if option.name in RANGES and (value is not None or option.name not in WHOLE):
                object.__setattr__(self, option.name, number(option.name, value))
        if self.source_pitch is not None:
            object.__setattr__(self, "source_pitch", _pitch(self.source_pitch))


def number(name: str, value: Any) -> Any:
    """`value` itself, as an int where `name` is in WHOLE: tables and JSON give 7.0 for 7.

    Raises VoiceswapError for what is no number, or out of its range.
    """
    low, high = RANGES[name]
    kind = "a whole number" if name in WHOLE else "a number"
    try:
        good = low <= value <= high and not math.isnan(value)
        good = good and (name not in WHOLE or value == int(value))
    except (TypeError, ValueError, OverflowError):
        good = False
    if not good:
        raise VoiceswapError(
            f"{name} is {value!r}, but must be {kind} from {low:.15g} to {_plain(high)}."
        )
    return int(value) if name in WHOLE else value


def _pitch(value: Any) -> tuple[float, float]:
    """Mean and deviation of ln F0, also of a list, as JSON has them, or an array.

    Raises VoiceswapError for what can't be that.
    """
    try:
        mean, deviation = map(float, value)
        good = LOG_F0[0] <= mean <= LOG_F0[1] and 0 < deviation < 1
    except (TypeError, ValueError, OverflowError):
        good = False
    if not good:
        raise VoiceswapError(
            f"source_pitch is {value!r}, but must be what voiceswap.source_pitch(recordings) gives."
        )
    return mean, deviation


DEFAULTS = ConversionOptions()
PITCH_NAMES = {"pitch": ["pitch_shift", "exact_pitch"]}  # what commands call them


def conversion_options(given: Mapping[str, Any]) -> ConversionOptions:
    """`ConversionOptions` of keywords. Raises TypeError for one that there is not."""
    known = [field.name for field in fields(ConversionOptions)]
    for name in given:
        if name not in known:
            near = PITCH_NAMES.get(name) or get_close_matches(name, known, 1, 0.6)
            hint = f"there are {', '.join(known)}."
            if near:
                hint = f"did you mean {' or '.join(near)}?"
            raise TypeError(f"There is no option {name}; {hint}")
    return ConversionOptions(**given)


EXACT = "exact"  # what commands and lists call `exact_pitch`


def pitch_options(pitch: str) -> dict[str, Any]:
    """The options that a command's or a list's pitch means: semitones, "exact", or "exact+12".

    Raises VoiceswapError for anything else.
    """
    low, high = RANGES["pitch_shift"]
    semitones = pitch.strip().lower().replace(",", ".")  # 2,5 is 2.5
    exact = semitones.startswith(EXACT)
    semitones = semitones.removeprefix(EXACT).strip()
    try:
        shift = float(semitones or (0 if exact else "nan"))
    except ValueError:
        shift = math.nan
    if not low <= shift <= high or (exact and semitones[:1].isdigit()):
        raise VoiceswapError(
            f"pitch is '{pitch}', but must be a number from {low:g} to {high:g}, '{EXACT}', or "
            f"'{EXACT}' with a number, as {EXACT}+12."
        )
    return {"pitch_shift": shift, "exact_pitch": exact}


def _plain(bound: float) -> str:
    return "2**63 - 1" if bound == 2**63 - 1 else f"{bound:g}"
