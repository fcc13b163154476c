"""What was done in an output folder: one JSON line for every output and every failure."""

import os
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from voiceswap.files import sha256
from voiceswap.results_log import JOURNAL_NAME, ResultsLog


@dataclass(frozen=True, slots=True)
class Entry:
    """An output: `key` is a hash of what it was made from, the rest identifies the file."""

    source: str
    key: str
    sha256: str
    bytes: int
    modified_ns: int
    audio_seconds: float


class Journal:
    """The journal of an output folder.

    A line is on the disk before its output appears. So a file without a line was not written by a
    run, and a line without its file belongs to a run that was killed between the two.

    Attributes:
        log: the lines, which are added to.
    """

    def __init__(self, out: Path):
        self.out = out
        self.log = ResultsLog(out / JOURNAL_NAME)
        self.entries: dict[str, list[Entry]] = defaultdict(list)
        names = ("source", "key", "sha256", "bytes", "written", "audio_seconds")
        for row in self.log.read():
            with suppress(KeyError, TypeError):  # a failure's row, or one that is not whole
                entry = Entry(*(row[name] for name in names))
                self.entries[row["output"]].append(entry)

    def find(self, output: str) -> Entry | None:
        """The entry of the file that is at `output` now; None when no run wrote that file."""
        stat = os.stat(self.out / output)
        candidates = [
            entry for entry in self.entries.get(output, ()) if entry.bytes == stat.st_size
        ]
        for entry in candidates:
            if entry.modified_ns == stat.st_mtime_ns:
                return entry
        if candidates:  # copied or touched: the content decides
            digest = sha256(self.out / output)
            return next((entry for entry in candidates if entry.sha256 == digest), None)
        return None
