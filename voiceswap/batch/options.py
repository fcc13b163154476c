"""How one file is converted and written."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from voiceswap.batch.formats import FORMATS
from voiceswap.errors import VoiceswapError

LIMITS = {"pitch": (-24.0, 24.0), "pitch_range": (0.0, 3.0), "strength": (0.0, 1.0), "seed": (0, 2**63 - 1), "rate": (4000, 192000)}


@dataclass(frozen=True, slots=True)
class Options:
    """The names are those of the command's options and of a manifest's columns. Raises VoiceswapError for a bad value.

    `pitch` is in semitones. `format`, `rate` in Hz and `subtype` are the input's where they are None.
    """

    pitch: float = 0.0
    pitch_range: float = 1.0
    strength: float = 1.0
    seed: int | None = None
    format: str | None = None
    rate: int | None = None
    subtype: str | None = None

    def __post_init__(self):
        for name, (low, high) in LIMITS.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise VoiceswapError(f"{name} is {value}, but must be from {low:g} to {high:g}.")
        if self.format is not None and self.format not in FORMATS:
            raise VoiceswapError(f"The format '{self.format}' can't be written; use {', '.join(FORMATS)}.")

    def changed(self, columns: Mapping[str, object]) -> "Options":
        """These options with those of a manifest's line; an empty column changes nothing."""
        values: dict = {}
        for name, value in columns.items():
            if value in (None, ""):
                continue
            kind = {"seed": int, "rate": int, "format": str, "subtype": str}.get(name, float)
            try:
                values[name] = kind(str(value))
            except ValueError as error:
                raise VoiceswapError(f"{name} is '{value}', which is no {'whole ' if kind is int else ''}number.") from error
        return replace(self, **values)

    def facts(self) -> dict:
        """What differs from the defaults: the same for ever, whatever options are added."""
        usual = asdict(Options())
        return {name: value for name, value in asdict(self).items() if value != usual[name]}
