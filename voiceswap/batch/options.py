"""How one file is converted and written, as a manifest and the command name it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from voiceswap.batch.formats import FORMATS
from voiceswap.conversion.options import WHOLE, ConversionOptions
from voiceswap.errors import VoiceswapError

NAMES = {
    "pitch": "pitch_shift"
}  # of columns and command options that are called otherwise in Python


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchOptions(ConversionOptions):
    """`ConversionOptions`, and the `format` to write, such as "flac".

    `format`, `rate` and `subtype` are the input's where they are None. Raises VoiceswapError for a value
    out of its range.
    """

    format: str | None = None

    def __post_init__(self) -> None:
        ConversionOptions.__post_init__(self)
        if self.format is not None and self.format not in FORMATS:
            formats = ", ".join(FORMATS)
            raise VoiceswapError(f"The format '{self.format}' can't be written; use {formats}.")

    def changed(self, columns: Mapping[str, object]) -> "BatchOptions":
        """These options with those of a manifest's line; an empty column changes nothing."""
        values: dict = {}
        for name, value in columns.items():
            if value in (None, ""):
                continue
            kind = int if name in WHOLE else str if name in ("format", "subtype") else float
            try:
                values[NAMES.get(name, name)] = kind(str(value))
            except ValueError as error:
                what = "whole number" if kind is int else "number"
                raise VoiceswapError(f"{name} is '{value}', which is no {what}.") from error
        return replace(self, **values)

    def non_defaults(self) -> dict:
        """What differs from the defaults, by a manifest's names: the same whatever options are added."""
        names = {python: column for column, python in NAMES.items()}
        return {
            names.get(field.name, field.name): getattr(self, field.name)
            for field in fields(self)
            if getattr(self, field.name) != field.default
        }

    def conversion(self, rate: int | None, subtype: str | None) -> ConversionOptions:
        """The options of a conversion that is written at this rate and subtype."""
        own = {field.name: getattr(self, field.name) for field in fields(ConversionOptions)}
        return ConversionOptions(**own | {"rate": rate, "subtype": subtype})
