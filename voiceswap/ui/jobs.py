"""Conversions that can be stopped: by their visitor's button, or because the visitor has gone."""

import os
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from functools import wraps
from threading import Event, Lock, get_native_id
from typing import ParamSpec, TypeVar

from voiceswap.errors import VoiceswapError

NICE = 10  # added to threads that give way: a tenth of the processor's time when others want it
P = ParamSpec("P")
R = TypeVar("R")


def giving_way(job: Callable[P, R]) -> Callable[P, R]:
    """`job` in a thread that gives way to visitors who are live, where the system has such threads.

    The thread is new, as no thread may take back that it gives way. Threads that it starts do too.
    """

    @wraps(job)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        context = copy_context()
        with ThreadPoolExecutor(1, initializer=_give_way) as pool:
            return pool.submit(lambda: context.run(job, *args, **kwargs)).result()

    return run


def _give_way() -> None:
    if sys.platform == "linux":  # elsewhere the priority is that of the whole program
        thread = get_native_id()
        own = os.getpriority(os.PRIO_PROCESS, thread)
        os.setpriority(os.PRIO_PROCESS, thread, min(own + NICE, 19))


class StoppedError(VoiceswapError):
    """A conversion was stopped by its visitor."""


class Jobs:
    """What runs now, by the visitor's session."""

    def __init__(self) -> None:
        self._stops: dict[str | None, set[Event]] = defaultdict(set)
        self._lock = Lock()

    @contextmanager
    def running(self, session: str | None) -> Iterator[Callable[[], None]]:
        """Gives a function to call between steps; it raises StoppedError once the job is to end."""
        stop = Event()

        def check() -> None:
            if stop.is_set():
                raise StoppedError("The conversion was stopped.")

        with self._lock:
            self._stops[session].add(stop)
        try:
            yield check
        finally:
            with self._lock:
                self._stops[session].discard(stop)
                if not self._stops[session]:
                    del self._stops[session]

    def stop(self, session: str | None) -> None:
        """End all jobs of a session at their next step."""
        with self._lock:
            for stop in self._stops.get(session, ()):
                stop.set()
