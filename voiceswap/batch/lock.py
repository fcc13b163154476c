"""One run at a time on an output folder."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from voiceswap.batch.names import WORK_FOLDER
from voiceswap.errors import VoiceswapError


@contextmanager
def only_run(out: Path) -> Iterator[Path]:
    """Lock `out` for this run, and yield a new folder in it for unfinished files.

    Unfinished files that a killed run left are removed. The lock is released when the process ends,
    however it ends.

    Raises:
        VoiceswapError: another run holds the lock, or the folder can't be written.
    """
    work_folder = out / WORK_FOLDER
    lock = FileLock(work_folder / "lock", timeout=0)
    try:
        work_folder.mkdir(parents=True, exist_ok=True)
        with lock:
            for stale in work_folder.glob("parts-*"):
                shutil.rmtree(stale, ignore_errors=True)
            parts = tempfile.mkdtemp(prefix="parts-", dir=work_folder)
            lock.acquire()  # a second time: the lock stays held after this block
    except Timeout as error:
        raise VoiceswapError(
            f"Another run is at work on {out}; wait for it, or give another --out."
        ) from error
    except OSError as error:
        raise VoiceswapError(f"{out} can't be written ({error.strerror}).") from error
    try:
        yield Path(parts)
    finally:
        shutil.rmtree(parts, ignore_errors=True)
        lock.release()
