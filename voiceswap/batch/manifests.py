"""The lines of a list of files: JSON lines, or CSV as spreadsheets write it."""

import json
from collections.abc import Iterable, Iterator

from voiceswap.batch import storage
from voiceswap.batch.formats import ending
from voiceswap.csv_lists import read_csv
from voiceswap.errors import DataError, VoiceswapError

OPTION_COLUMNS = ("pitch", "pitch_range", "strength", "seed", "format", "rate", "subtype")
COLUMNS = ("source", "target", "output", "source_voice", *OPTION_COLUMNS)


def manifest_lines(path: str) -> Iterator[tuple[int, dict]]:
    """The lines of a manifest: their numbers, and their values by column.

    Raises VoiceswapError when it can't be read, or has columns that no manifest has.
    """
    kind = ending(path)
    try:
        text = storage.read_text(path)
    except DataError as error:
        if not storage.is_pipe(path):
            raise
        raise VoiceswapError(
            f"{path} is a pipe, which has to give a list of files; give recordings by their names."
        ) from error
    read = _json_lines if kind == "jsonl" or (kind != "csv" and text[:1] == "{") else _csv_lines
    yield from read(path, text)


def is_manifest(path: str) -> bool:
    """Whether an input is a list of files: by its ending, or a pipe."""
    return ending(path) in ("csv", "jsonl") or storage.is_pipe(path)


def _csv_lines(path: str, text: str) -> Iterator[tuple[int, dict]]:
    columns, rows = read_csv(text, path)
    _check_columns(path, columns)
    yield from rows


def _json_lines(path: str, text: str) -> Iterator[tuple[int, dict]]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
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
