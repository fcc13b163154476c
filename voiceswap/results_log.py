"""An append-only file of JSON lines: results that a stopped run keeps and the next run reuses."""

import ast
import hashlib
import json
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType

from voiceswap.errors import VoiceswapError

ROOT = Path(__file__).parents[1]
PACKAGES = ("voiceswap.", "data_prep.")  # this project's, in ROOT
JOURNAL_NAME = "journal.jsonl"  # of a batch, in its output folder
# Threads that parse at once raise a SystemError, since CPython counts their depths together.
_PARSING = threading.Lock()


class ResultsLog:
    """JSON objects, one a line, in a file that only grows.

    A line that a kill or a full disk cut off is skipped when the file is read, and the next line
    that is appended starts on a new one. Threads may append at the same time.
    """

    def __init__(self, path: Path):
        self.path = path
        self._lock = threading.Lock()

    def read(self) -> Iterator[dict]:
        """The objects in the order in which they were appended; none where there is no file.

        Raises:
            VoiceswapError: the file can't be read.
        """
        try:
            with open(self.path, "rb") as file:
                for line in file:
                    try:
                        row = json.loads(line)
                    except ValueError:
                        continue
                    if isinstance(row, dict):
                        yield row
        except FileNotFoundError:
            return
        except OSError as error:
            raise VoiceswapError(f"{self.path} can't be read ({error.strerror}).") from error

    def append(self, rows: Iterable[Mapping]) -> None:
        """Add objects, and return when they are on the disk.

        Raises:
            OSError: they could not be written; the file is as it was.
        """
        lines = "".join(json.dumps(row) + "\n" for row in rows).encode()
        if not lines:
            return
        with self._lock, open(self.path, "ab", buffering=0) as file:
            size = file.tell()
            try:
                if size and not self._ends_with_newline():
                    lines = b"\n" + lines
                rest = memoryview(lines)
                while rest:
                    rest = rest[file.write(rest) :]
                os.fsync(file.fileno())
            except OSError:
                file.truncate(size)
                raise

    def _ends_with_newline(self) -> bool:
        with open(self.path, "rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"


def short_hash(value: object) -> str:
    """A short hash of anything that JSON can hold; 16 hexadecimal digits."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def name_hash(name: str) -> int:
    """A number of 64 bits that depends on a name alone, to draw by: the same in every run."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")


@cache
def code_hash(*modules: ModuleType) -> str:
    """A short hash of `source_files`.

    As part of a result's key it keeps changed code from reusing results of the code before.
    """
    digest = hashlib.sha256()
    for file in sorted(source_files(*modules)):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def source_files(*modules: ModuleType) -> set[Path]:
    """The files of modules, of whole packages, and of this project's modules that they import.

    Imports inside functions count; `__init__.py` of a package that is only imported does not.
    """
    files: set[Path] = set()
    waiting: list[Path] = []
    for module in modules:
        path = Path(str(module.__file__))
        waiting += path.parent.rglob("*.py") if path.stem == "__init__" else [path]
    while waiting:
        file = waiting.pop()
        if file not in files:
            files.add(file)
            waiting += _imported_files(file)
    return files


def _imported_files(file: Path) -> Iterator[Path]:
    with _PARSING:
        tree = ast.parse(file.read_bytes())
    for node in ast.walk(tree):
        if not isinstance(node, (ast.Import, ast.ImportFrom)):
            continue
        parts = [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom):
            parts = [str(node.module), *(f"{node.module}.{part}" for part in parts)]
        own = (f"{part.replace('.', '/')}.py" for part in parts if part.startswith(PACKAGES))
        for name in own:
            places = (root / name for root in (ROOT, _root(file)))
            yield from [path for path in places if path.is_file()][:1]


def _root(file: Path) -> Path:
    """The folder of a module's package, which may be another than ROOT: data_prep's clone."""
    folder = file.parent
    while (folder / "__init__.py").is_file():
        folder = folder.parent
    return folder
