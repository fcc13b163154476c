"""How far a run is."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from voiceswap.batch.report import Status
from voiceswap.batch.run_state import RunState


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """What a progress callback is told. Files that were done before count as done, but not for the speed."""

    files: int
    done: int
    failed: int
    audio_seconds: float  # converted by this run
    seconds: float  # since it began to convert
    share: float  # of the bytes that this run has to read, 0 to 1, files at work counted in part

    @property
    def times_real_time(self) -> float:
        """Seconds of audio converted in a second."""
        return self.audio_seconds / self.seconds if self.seconds > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """None before anything can be said."""
        return self.seconds * (1 - self.share) / self.share if self.share > 0 else None


class Meter:
    """Makes BatchProgress of what happens."""

    def __init__(self, state: RunState, todo: list[int], progress: Callable[[BatchProgress], None]):
        self.state, self.progress = state, progress
        self.sizes = {number: state.jobs[number].signature.size for number in todo}
        self.total, self.read = sum(self.sizes.values()), 0
        self.at_work: dict[int, float] = {}
        self.start = time.monotonic()
        self.audio_seconds, self.failed, self.left = (
            0.0,
            state.report.counts()[Status.FAILED],
            len(todo),
        )
        self._tell()

    def move(self, numbers: Iterable[int], share: float) -> None:
        """Files are at work, together."""
        self.at_work.update(dict.fromkeys(numbers, share))
        self._tell()

    def finish(self, numbers: Iterable[int]) -> None:
        """Files are done, one way or the other."""
        for number in numbers:
            row = self.state.report.rows[number]
            self.at_work.pop(number, None)
            self.read += self.sizes[number]
            self.left -= 1
            self.failed += row.status is Status.FAILED
            self.audio_seconds += row.audio_seconds
        self._tell()

    def _tell(self) -> None:
        read = self.read + sum(self.sizes[number] * share for number, share in self.at_work.items())
        files = len(self.state.jobs)
        seconds = time.monotonic() - self.start
        share = read / self.total if self.total else float(not self.left)
        self.progress(
            BatchProgress(files, files - self.left, self.failed, self.audio_seconds, seconds, share)
        )
