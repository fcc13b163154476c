"""Conversions that can be stopped: by their visitor's button, or because the visitor has gone."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Lock

from voiceswap.errors import VoiceswapError


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
