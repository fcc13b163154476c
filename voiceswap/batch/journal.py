"""What was done in an output folder: one line of JSON an event, only ever appended."""

import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from voiceswap.errors import VoiceswapError
from voiceswap.files import sha256

NAME = "journal.jsonl"


@dataclass(frozen=True, slots=True)
class Entry:
    """An output as it was made: of what (`key`), and how to know it again."""

    key: str
    sha256: str
    bytes: int
    written: int  # the output's time in nanoseconds
    audio_seconds: float


class Journal:
    """The journal of an output folder.

    A line is on the disk before the output that it tells of appears; so a file that no line tells of was made by
    somebody else, and a line without its file by a run that was killed between the two.
    """

    def __init__(self, out: Path):
        self.path = out / NAME
        self.out = out
        self.entries: dict[str, list[Entry]] = defaultdict(list)
        try:
            with open(self.path, "rb") as file:
                for line in file:
                    self._learn(line)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise VoiceswapError(f"{self.path} can't be read ({error.strerror}).") from error

    def _learn(self, line: bytes) -> None:
        try:
            row = json.loads(line)
            if "sha256" in row:
                entry = Entry(
                    row["key"], row["sha256"], row["bytes"], row["written"], row["audio_seconds"]
                )
                self.entries[row["output"]].append(entry)
        except (ValueError, KeyError, TypeError):
            return  # torn by a kill or a full disk: the output that it would have told of never appeared

    def find(self, output: str) -> Entry | None:
        """The entry of the file that lies at `output` now; None when this journal does not know that file."""
        facts = os.stat(self.out / output)
        known = [entry for entry in self.entries.get(output, ()) if entry.bytes == facts.st_size]
        for entry in known:
            if entry.written == facts.st_mtime_ns:
                return entry
        if known:  # copied or touched: only its content tells
            digest = sha256(self.out / output)
            return next((entry for entry in known if entry.sha256 == digest), None)
        return None

    def append(self, rows: Iterable[dict]) -> None:
        """Add lines, and return when they are on the disk. Raises OSError, with the journal as it was."""
        lines = "".join(json.dumps(row) + "\n" for row in rows).encode()
        if not lines:
            return
        with open(self.path, "ab", buffering=0) as file:
            size = file.tell()
            try:
                if size and not self._ends_a_line():
                    lines = b"\n" + lines
                view = memoryview(lines)
                while view:
                    view = view[file.write(view) :]
                os.fsync(file.fileno())
            except OSError:
                file.truncate(size)
                raise

    def _ends_a_line(self) -> bool:
        with open(self.path, "rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"


def short_hash(facts: object) -> str:
    """A short hash of what JSON can say."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
