"""One run at a time on an output folder."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from voiceswap.batch.names import WORKSHOP
from voiceswap.errors import VoiceswapError


@contextmanager
def only_run(out: Path) -> Iterator[Path]:
    """Holds `out` for this run, and gives it a folder for unfinished files; what a killed run left of those is removed.

    The lock ends with the process, however that ends. Raises VoiceswapError when another run holds it.
    """
    workshop = out / WORKSHOP
    lock = FileLock(workshop / "lock", timeout=0)
    try:
        workshop.mkdir(parents=True, exist_ok=True)
        with lock:
            for stale in workshop.glob("parts-*"):
                shutil.rmtree(stale, ignore_errors=True)
            parts = tempfile.mkdtemp(prefix="parts-", dir=workshop)
            lock.acquire()  # a second time, for the block
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
