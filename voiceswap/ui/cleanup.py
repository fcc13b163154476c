"""Removes what visitors sent and got, when it is old and when the page ends, however it ended."""

import logging
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

from filelock import FileLock, Timeout

logger = logging.getLogger(__name__)

PREFIX = "voiceswap-ui-"
INTERVAL = 60.0  # seconds between two looks
_held: list[frozenset[Path]] = []  # what each job that runs needs


@contextmanager
def temporary_files(seconds: float) -> Iterator[Path]:
    """A folder whose files are removed when they are `seconds` old, and all of it at the end.

    Folders of servers that were killed are removed at the start: nobody holds their lock.
    """
    parent = Path(tempfile.gettempdir()).resolve()
    for left in parent.glob(f"{PREFIX}*/"):
        _remove_abandoned(left)
    folder = parent / f"{PREFIX}{secrets.token_hex(8)}"
    over = Event()
    # Locked before it is there: another server that starts now would take it for abandoned.
    with FileLock(_lock(folder)):
        folder.mkdir(0o700)
        cleaner = Thread(target=_clean, args=(folder, seconds, over), daemon=True)
        cleaner.start()
        try:
            yield folder
        finally:
            over.set()
            cleaner.join()
            shutil.rmtree(folder, ignore_errors=True)
    _lock(folder).unlink(missing_ok=True)


@contextmanager
def held(*paths: str | Path) -> Iterator[None]:
    """Files and folders that are not removed during the block, however old they are."""
    needed = frozenset(Path(path).resolve() for path in paths)
    _held.append(needed)
    try:
        yield
    finally:
        _held.remove(needed)


def remove_old(folder: Path, seconds: float) -> None:
    """Remove files that are `seconds` old and that nothing holds, and empty folders.

    One that can't be removed stops nothing.
    """
    before = time.time() - seconds
    # What is inside a folder before the folder.
    for path, is_folder in entries(folder):
        try:
            needed = frozenset().union(*_held)
            if path.lstat().st_mtime > before or not needed.isdisjoint((path, *path.parents)):
                continue
            if not is_folder:
                path.unlink()
            elif not any(path.iterdir()):
                path.rmdir()
        except FileNotFoundError:
            continue
        except OSError as error:
            logger.warning("%s can't be removed (%s).", path, error.strerror)


def bytes_below(folder: Path) -> int:
    """Bytes of all files below a folder; links count for themselves."""
    total = 0
    for path, is_folder in entries(folder):
        with suppress(FileNotFoundError):
            total += 0 if is_folder else path.lstat().st_size
    return total


def entries(folder: Path) -> Iterator[tuple[Path, bool]]:
    """What is below a folder, links included, and whether each is a folder; the innermost first.

    What vanishes meanwhile is left out, as `Path.rglob` does not before Python 3.13.
    """
    for place, folders, files in os.walk(folder, topdown=False):
        yield from ((Path(place, name), False) for name in files)
        for name in folders:
            path = Path(place, name)
            yield path, not path.is_symlink()


def _clean(folder: Path, seconds: float, over: Event) -> None:
    while not over.wait(INTERVAL):
        try:
            remove_old(folder, seconds)
        except Exception:  # of a look, which the next one may not meet
            logger.exception("What is old in %s can't be removed now.", folder)


def _remove_abandoned(folder: Path) -> None:
    try:
        with FileLock(_lock(folder), timeout=0):
            pass
    except (Timeout, OSError):
        return
    shutil.rmtree(folder, ignore_errors=True)
    _lock(folder).unlink(missing_ok=True)


def _lock(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")
