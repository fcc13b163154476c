"""The options of one file in a batch."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from voiceswap.batch.formats import FORMATS
from voiceswap.conversion.options import WHOLE, ConversionOptions, pitch_options
from voiceswap.errors import VoiceswapError

HASHED_AS = {"pitch_shift": "pitch"}  # its name when the first journals were written


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchOptions(ConversionOptions):
    """How one file is converted, and the format in which it is written.

    Attributes:
        format: ending of the output such as "flac"; None is the input's, as for `rate` and
            `subtype`.

    Raises:
        VoiceswapError: a value is out of its range, or the format can't be written.
    """

    format: str | None = None

    def __post_init__(self) -> None:
        ConversionOptions.__post_init__(self)
        if self.format is not None and self.format not in FORMATS:
            formats = ", ".join(FORMATS)
            raise VoiceswapError(f"The format '{self.format}' can't be written; use {formats}.")

    def changed(self, columns: Mapping[str, object]) -> "BatchOptions":
        """These options with the values of a manifest's line; an empty column changes nothing."""
        values: dict = {}
        for name, value in columns.items():
            if value in (None, ""):
                continue
            if name == "pitch":
                values |= pitch_options(str(value))
                continue
            kind = _whole if name in WHOLE else str if name in ("format", "subtype") else float
            text = str(value).replace(",", ".") if kind is float else str(value)  # 2,5 is 2.5
            try:
                values[name] = kind(text)
            except ValueError as error:
                what = "whole number" if kind is _whole else "number"
                raise VoiceswapError(f"{name} is '{value}', which is no {what}.") from error
        return replace(self, **values)

    def non_defaults(self) -> dict:
        """The values that differ from the defaults, by name.

        Options that are added later do not change it, so hashes of it stay valid.
        """
        return {
            HASHED_AS.get(field.name, field.name): getattr(self, field.name)
            for field in fields(self)
            if getattr(self, field.name) != field.default
        }

    def conversion(self, rate: int | None, subtype: str | None) -> ConversionOptions:
        """The conversion options of an output with this rate in Hz and this subtype."""
        own = {field.name: getattr(self, field.name) for field in fields(ConversionOptions)}
        return ConversionOptions(**own | {"rate": rate, "subtype": subtype})


def _whole(text: str) -> int | float:
    """A whole number, also as tables with a gap in a column have it: 7.0."""
    try:
        return int(text)
    except ValueError:
        return float(text)  # 7.5 is refused with the other values
