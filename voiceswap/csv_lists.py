"""Lists in CSV as spreadsheets write them: several delimiters, encodings, empty rows."""

import codecs
import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager

from voiceswap.errors import DataError

DELIMITERS = ",;\t"  # Excel writes what the country's settings say, and tabs with UTF-16


def decode_text(data: bytes, path: str) -> str:
    """A text in UTF-8 with or without its mark, or in UTF-16 with it, as Excel writes it.

    Raises DataError, in which `path` is the text's name, for another encoding.
    """
    marked = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return data.decode("utf-16" if marked else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} is not a text in UTF-8; save it as such (in Excel: CSV UTF-8)."
        ) from error


def read_csv(text: str, path: str) -> tuple[list[str], Iterator[tuple[int, dict[str, str]]]]:
    """The columns of a CSV in small letters, and its rows with the number of their line.

    Raises DataError, in which `path` is the text's name, for what is no CSV.
    """
    stream = io.StringIO(text, newline="")
    first = stream.readline()
    delimiter = max(DELIMITERS, key=first.count)
    if first[:4].lower() == "sep=" and first[4:5] in tuple(DELIMITERS):  # Excel's own hint
        delimiter = first[4]
    else:
        stream.seek(0)
    rows = csv.DictReader(stream, delimiter=delimiter)
    with _plain_errors(rows, path):
        rows.fieldnames = [name.strip().lower() for name in rows.fieldnames or []]
    return [name for name in rows.fieldnames if name], _numbered(rows, path)


def _numbered(rows: csv.DictReader, path: str) -> Iterator[tuple[int, dict[str, str]]]:
    with _plain_errors(rows, path):
        for row in rows:
            if None in row:
                raise DataError(f"{path}, line {rows.line_num}: more values than columns.")
            if any(row.values()):  # a spreadsheet's empty row is no line
                yield rows.line_num, row


@contextmanager
def _plain_errors(rows: csv.DictReader, path: str) -> Iterator[None]:
    try:
        yield
    except csv.Error as error:
        raise DataError(f"{path}, line {rows.line_num}: not CSV ({error}).") from error
