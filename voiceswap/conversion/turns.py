"""Turns of a dialogue: who speaks from when to when."""

import csv
import io
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from voiceswap.csv_lists import decode_text, read_csv
from voiceswap.errors import DataError
from voiceswap.files import whole_file

COLUMNS = ("start", "end", "speaker")
DECIMALS = 3  # of times, so that a list gives the turns that were written to it
LEAST_TURN = 0.02  # seconds, of a list's
MOST_SPEAKER = 99  # of a list's: each has a file that is open meanwhile


@dataclass(frozen=True)
class Turn:
    """From `start` to `end`, in seconds, `speaker` speaks, a number from 1 on."""

    start: float
    end: float
    speaker: int


def write_turns(path: Path, turns: Sequence[Turn]) -> None:
    """Write turns as a CSV with COLUMNS."""
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    rows.writerow(COLUMNS)
    for turn in turns:
        times = (f"{seconds:.{DECIMALS}f}" for seconds in (turn.start, turn.end))
        rows.writerow((*times, turn.speaker))
    with whole_file(path) as temporary:
        temporary.write_text(text.getvalue(), encoding="utf-8", newline="")


def read_turns(path: Path) -> list[Turn]:
    """The turns of a CSV. Raises DataError for what is no such list."""
    try:
        text = decode_text(path.read_bytes(), str(path))
    except OSError as error:
        raise DataError(f"{path} can't be read ({error.strerror}).") from error
    columns, rows = read_csv(text, str(path))
    if lacking := [name for name in COLUMNS if name not in columns]:
        raise DataError(
            f"{path} has no column {lacking[0]}; a list of turns has {', '.join(COLUMNS)}."
        )
    turns = [parse_turn(row, f"{path}, line {number}") for number, row in rows]
    if not turns:
        raise DataError(f"{path} has no turns.")
    return turns


def covering(turns: Sequence[Turn], seconds: float, name: str) -> list[Turn]:
    """The turns of a recording with pauses between them given to whoever spoke before.

    They may come in any order; the first begins at 0, the last ends at `seconds`. Turns of one
    person, one after another, become one, which has no fade within. `name` is the recording's, for
    errors. Raises DataError for a turn that begins after the recording's end, or before the turn
    before it ends, and for none.
    """
    turns = sorted(turns, key=lambda turn: turn.start)
    for before, turn in pairwise(turns):
        if turn.start < before.end:
            late, early = turn.start, before.start
            raise DataError(
                f"{name}: the turn at {late:.3f} s ({timecode(late)}) begins before the one at "
                f"{early:.3f} s ({timecode(early)}) ends; let one end where the next begins."
            )
    if not turns or turns[-1].start + LEAST_TURN > seconds:
        last = turns[-1].start if turns else 0.0
        at = f"one begins at {last:.3f} s ({timecode(last)})" if turns else "there is none"
        raise DataError(f"{name} is {seconds:.2f} s long, and of its turns {at}.")
    turns = [t for n, t in enumerate(turns) if n == 0 or t.speaker != turns[n - 1].speaker]
    starts = [0.0, *(turn.start for turn in turns[1:])]
    return [
        Turn(start, end, turn.speaker)
        for turn, start, end in zip(turns, starts, [*starts[1:], seconds], strict=True)
    ]


def parse_turn(row: Mapping[str, str], place: str) -> Turn:
    """The turn of a row with COLUMNS. Raises DataError, which names `place`, for what is none."""
    try:
        start, end = _seconds(row["start"]), _seconds(row["end"])
        speaker = _number(_halfwidth(row["speaker"]))  # spreadsheets may write 1.0
    except (TypeError, KeyError, ValueError):
        start = end = speaker = 0.0
    whole = 1 <= speaker <= MOST_SPEAKER and speaker.is_integer()
    if not (start >= 0 and start + LEAST_TURN <= end < float("inf") and whole):
        raise DataError(
            f"{place}: a turn is a start and an end, in seconds or as 1:23.5, {LEAST_TURN:g} s "
            f"apart at least, and the number of a speaker, from 1 to {MOST_SPEAKER}."
        )
    return Turn(start, end, int(speaker))


def timecode(seconds: float) -> str:
    """A time as 1:23.500, as the page's table has it."""
    minutes, milliseconds = divmod(round(1000 * seconds), 60_000)
    return f"{minutes}:{milliseconds / 1000:06.3f}"


def _seconds(text: str) -> float:
    """A time as people write it: 83.5, 83,5, 1:23.5 or 0:01:23.5. Raises ValueError."""
    seconds = 0.0
    for part in _halfwidth(text).split(":"):
        seconds = 60 * seconds + _number(part)
    return seconds


def _halfwidth(text: str) -> str:
    """What a Chinese keyboard writes as １：２３．５, or １：２３。５, is 1:23.5."""
    return unicodedata.normalize("NFKC", text).replace("。", ".")


def _number(text: str) -> float:
    """A number without a sign. Raises ValueError for anything else."""
    if "-" in (text := text.replace(",", ".")):
        raise ValueError(f"{text} is negative")
    return float(text)
