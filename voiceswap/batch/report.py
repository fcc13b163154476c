"""The result of every file of a run."""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from voiceswap.errors import VoiceswapError
from voiceswap.files import whole_file
from voiceswap.notes import Note

REPORT_NAME = "report.csv"
COLUMNS = ("source", "output", "status", "error", "audio_seconds", "seconds", "note")


class Status(StrEnum):
    """What happened to a file."""

    CONVERTED = "converted"
    ALREADY = "already done"
    FAILED = "failed"
    NOT_REACHED = "not reached"
    TO_CONVERT = "to convert"  # in a dry run, as the next
    TO_REDO = "to convert again"


@dataclass(slots=True)
class Row:
    """One file: its status, the length of its audio and the time that its conversion took."""

    source: str
    output: str
    status: Status = Status.NOT_REACHED
    error: str = ""
    audio_seconds: float = 0.0
    seconds: float = 0.0
    notes: Sequence[str] = ()  # sentences on a source that was used all the same


@dataclass
class Report:
    """A run: a row for every file, its time, and why it stopped if it did before the end.

    `notes` are those of the voices that files share.
    """

    rows: list[Row]
    seconds: float = 0.0
    stopped: str = ""
    notes: list[Note] = field(default_factory=list)

    @property
    def failures(self) -> Iterator[Row]:
        """The rows of files that could not be converted."""
        return (row for row in self.rows if row.status is Status.FAILED)

    @property
    def audio_seconds(self) -> float:
        """Length of the audio that this run converted."""
        return sum(row.audio_seconds for row in self.rows if row.status is Status.CONVERTED)

    def counts(self) -> Counter[Status]:
        """How many rows have each status."""
        return Counter(row.status for row in self.rows)

    @property
    def exit_status(self) -> int:
        """0: all files are done. 1: some could not be converted. 2: no output is there."""
        counts = self.counts()
        if not self.stopped and not counts[Status.FAILED] and not counts[Status.NOT_REACHED]:
            return 0
        good = (Status.CONVERTED, Status.ALREADY, Status.TO_CONVERT, Status.TO_REDO)
        return 1 if any(counts[status] for status in good) else 2

    def write(self, out: Path) -> Path:
        """Write report.csv into `out`, whole or not at all."""
        path = out / REPORT_NAME
        marked = "utf-8-sig"  # Excel takes UTF-8 without a mark for the country's old encoding
        with (
            whole_file(path) as temporary,
            open(temporary, "w", newline="", encoding=marked, errors="surrogateescape") as file,
        ):
            table = csv.writer(file)
            table.writerow(COLUMNS)
            for row in self.rows:
                times = f"{row.audio_seconds:.3f}", f"{row.seconds:.3f}"
                names = (_no_formula(name) for name in (row.source, row.output))
                table.writerow(
                    [
                        *names,
                        row.status,
                        _no_formula(row.error),
                        *times,
                        _no_formula(" ".join(row.notes)),
                    ]
                )
        return path


def require_own_report(out: Path) -> None:
    """Raise VoiceswapError if `out` holds a report.csv that no run wrote."""
    path = out / REPORT_NAME
    if not path.exists():
        return
    try:
        # A spreadsheet that saves it may add a byte-order mark, quotes or other separators.
        with open(path, encoding="utf-8-sig", errors="surrogateescape") as file:
            head = re.split(r"[,;\t]", file.readline().replace('"', "").strip())
    except OSError as error:
        raise VoiceswapError(f"{path} can't be read: {error.strerror}.") from error
    if head[:3] != [*COLUMNS[:3]]:
        raise VoiceswapError(
            f"{path} is not the report of a batch, and would be replaced: move it, give another "
            "--out, or --overwrite."
        )


def _no_formula(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
