"""Removes what visitors sent and got, when it is old and when the page ends, however it ended."""

import logging
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

from filelock import FileLock, Timeout

logger = logging.getLogger(__name__)

PREFIX = "voiceswap-ui-"
INTERVAL = 60.0  # seconds between two looks


@contextmanager
def temporary_files(seconds: float) -> Iterator[Path]:
    """A folder whose files are removed when they are `seconds` old, and all of it at the end.

    Folders of servers that were killed are removed at the start: nobody holds their lock.
    """
    parent = Path(tempfile.gettempdir()).resolve()
    for left in parent.glob(f"{PREFIX}*/"):
        _remove_abandoned(left)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    over = Event()
    with FileLock(_lock(folder)):
        cleaner = Thread(target=_clean, args=(folder, seconds, over), daemon=True)
        cleaner.start()
        try:
            yield folder
        finally:
            over.set()
            cleaner.join()
            shutil.rmtree(folder, ignore_errors=True)
    _lock(folder).unlink(missing_ok=True)


def remove_old(folder: Path, seconds: float) -> None:
    """Remove files that are `seconds` old, and empty folders.

    One that can't be removed stops nothing.
    """
    before = time.time() - seconds
    # What is inside a folder before the folder.
    for path in sorted(folder.rglob("*"), reverse=True):
        try:
            if path.lstat().st_mtime > before:
                continue
            if path.is_dir() and not path.is_symlink():
                if not any(path.iterdir()):
                    path.rmdir()
            else:
                path.unlink()
        except OSError as error:
            logger.warning("%s can't be removed (%s).", path, error.strerror)


def _clean(folder: Path, seconds: float, over: Event) -> None:
    while not over.wait(INTERVAL):
        remove_old(folder, seconds)


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
