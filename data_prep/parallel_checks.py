"""Checks of many recordings by several processes, of which a damaged file may end one."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path

from data_prep.speech_check import Checks, check_recording

FILES_PER_PROCESS = 8  # that are checked before their results are passed on


def check_each(paths: list[Path], checks: Checks, copies: Path) -> Iterator[tuple[Path, dict]]:
    """Each path with the result of `check_recording`, by `checks.jobs` processes.

    A decoder that crashes ends its process, and with it the whole pool. Then the files that were in
    it are checked in a process each, and the one at which a process ends again can't be used.
    """
    check = partial(check_recording, checks=checks, copies=copies)
    step = FILES_PER_PROCESS * checks.jobs
    pool = ProcessPoolExecutor(checks.jobs)
    try:
        for first in range(0, len(paths), step):
            some = paths[first : first + step]
            try:
                results = list(pool.map(check, some))
            except BrokenProcessPool:
                pool = ProcessPoolExecutor(checks.jobs)
                results = [_check_alone(check, path) for path in some]
            yield from zip(some, results, strict=True)
    finally:
        pool.shutdown(cancel_futures=True)


def _check_alone(check: partial[dict], path: Path) -> dict:
    try:
        with ProcessPoolExecutor(1) as pool:
            return pool.submit(check, path).result()
    except BrokenProcessPool:
        return {"reason": "the process that decodes it dies"}
