"""Lists in CSV as spreadsheets write them: several delimiters, encodings, empty rows."""

import codecs
import csv
import io
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from itertools import zip_longest

from voiceswap.errors import DataError

LEVEL_1 = (b"\xb0", b"\xd7")  # the first bytes of the 3755 commonest characters, in GB 2312
DELIMITERS = ",;\t"  # Excel writes what the country's settings say, and tabs with UTF-16


def decode_text(data: bytes, path: str) -> str:
    """A text in UTF-8 with or without its mark, in UTF-16 with it, or in GBK, as Excel writes it.

    Raises DataError, in which `path` is the text's name, for another encoding.
    """
    marked = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return data.decode("utf-16" if marked else "utf-8-sig")
    except UnicodeDecodeError as error:
        with suppress(UnicodeDecodeError):
            if _is_mandarin(text := data.decode("gb18030")):  # GBK and more
                return text
        raise DataError(
            f"{path} is not a text in UTF-8; save it as such (in Excel: CSV UTF-8)."
        ) from error


def _is_mandarin(text: str) -> bool:
    """Whether most letters beyond ASCII are common in Mandarin.

    GB 18030 takes many a text of another encoding, which has rare and unassigned characters then.
    """
    letters = [one for one in text if not one.isascii() and unicodedata.category(one)[0] in "LC"]
    first = [letter.encode("gb2312", "ignore")[:1] for letter in letters]
    return 2 * sum(LEVEL_1[0] <= byte <= LEVEL_1[1] for byte in first) > len(letters)


def read_csv(text: str, path: str) -> tuple[list[str], Iterator[tuple[int, dict[str, str]]]]:
    """The columns of a CSV in small letters, and its rows with the number of their first line.

    Raises DataError, in which `path` is the text's name, for what is no CSV.
    """
    stream = io.StringIO(text, newline="")
    first, skipped = stream.readline(), 0
    delimiter = max(DELIMITERS, key=first.count)
    if first[:4].lower() == "sep=" and first[4:5] in tuple(DELIMITERS):  # Excel's own hint
        delimiter, skipped = first[4], 1
    else:
        stream.seek(0)
    rows = _numbered(stream, delimiter, skipped, path)
    columns = [name.strip().lower() for name in next(rows, (0, []))[1]]
    return [name for name in columns if name], _named(rows, columns, path)


def _numbered(
    stream: io.StringIO, delimiter: str, skipped: int, path: str
) -> Iterator[tuple[int, list[str]]]:
    """The rows with values, which a spreadsheet's empty ones have none of, and their first line.

    A quote that is not closed takes in further lines: it is told by the line where it opens.
    """
    reader = csv.reader(stream, delimiter=delimiter, strict=True)
    while True:
        number = skipped + reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise DataError(
                f"{path}, line {number}: not CSV; close the quote that opens there ({error})."
            ) from error
        if any(row):
            yield number, row


def _named(
    rows: Iterator[tuple[int, list[str]]], columns: list[str], path: str
) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows' values by column; the last columns may lack one."""
    for number, row in rows:
        if len(row) > len(columns):
            raise DataError(f"{path}, line {number}: more values than columns.")
        yield number, dict(zip_longest(columns, row))
