"""The lines of a list of files: JSON lines, or CSV as spreadsheets write it."""

import csv
import io
import json
from collections.abc import Iterable, Iterator

from voiceswap.batch import storage
from voiceswap.batch.formats import ending
from voiceswap.errors import VoiceswapError

COLUMNS = (
    "source",
    "target",
    "output",
    "pitch",
    "pitch_range",
    "strength",
    "seed",
    "format",
    "rate",
    "subtype",
)
DELIMITERS = ",;\t"  # Excel writes what the country's settings say, and tabs with UTF-16


def manifest_lines(path: str) -> Iterator[tuple[int, dict]]:
    """The lines of a manifest: their numbers, and their values by column.

    Raises VoiceswapError when it can't be read, or has columns that no manifest has.
    """
    read = _csv_lines if ending(path) == "csv" else _json_lines
    yield from read(path, storage.read_text(path))


def _csv_lines(path: str, text: str) -> Iterator[tuple[int, dict]]:
    stream = io.StringIO(text, newline="")
    first = stream.readline()
    delimiter = max(DELIMITERS, key=first.count)
    if first.lower().startswith("sep="):  # Excel's own hint
        delimiter = first[4:5]
    else:
        stream.seek(0)
    rows = csv.DictReader(stream, delimiter=delimiter)
    rows.fieldnames = [name.strip().lower() for name in rows.fieldnames or []]
    _check_columns(path, filter(None, rows.fieldnames))
    for row in rows:
        if None in row:
            raise VoiceswapError(f"{path}, line {rows.line_num}: more values than columns.")
        if any(row.values()):  # a spreadsheet's empty row is no line
            yield rows.line_num, row


def _json_lines(path: str, text: str) -> Iterator[tuple[int, dict]]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                row = json.loads(line)
            except ValueError as error:
                raise VoiceswapError(f"{path}, line {number}: not JSON.") from error
            if not isinstance(row, dict):
                raise VoiceswapError(f"{path}, line {number}: not a JSON object.")
            _check_columns(path, row)
            yield number, row


def _check_columns(path: str, names: Iterable[str]) -> None:
    names = list(names)
    unknown = [name for name in names if name not in COLUMNS]
    if unknown:
        raise VoiceswapError(
            f"{path} has an unknown column '{unknown[0]}'; the columns are {', '.join(COLUMNS)}."
        )
    if "source" not in names:
        raise VoiceswapError(f"{path} has no column 'source'.")
