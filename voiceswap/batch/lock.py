"""One run at a time on an output folder."""

import errno
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from voiceswap.batch.names import WORK_FOLDER
from voiceswap.errors import VoiceswapError
from voiceswap.files import raise_write_error

# What NFS and other shares without locks answer.
NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP)  # two numbers on macOS


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
    except (OSError, NotImplementedError) as error:
        if isinstance(error, NotImplementedError) or error.errno in NO_LOCKS:
            raise VoiceswapError(
                f"The file system of {out} has no locks, which keep two runs apart; give an --out "
                "on another disk, and move it afterwards."
            ) from error
        raise_write_error(out, error, VoiceswapError)
    try:
        yield Path(parts)
    finally:
        shutil.rmtree(parts, ignore_errors=True)
        lock.release()
