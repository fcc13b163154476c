"""The progress of a run, as progress callbacks get it."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from voiceswap.batch.report import Status
from voiceswap.batch.run_state import RunState


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """How far a run is. Files of earlier runs count as done, but not for the speed.

    Attributes:
        files: number of files in the run.
        done: number of files that are done, the failed ones included.
        failed: number of files that could not be converted.
        audio_seconds: length of the audio that this run converted.
        seconds: time since this run began to convert.
        share: part of the bytes to read that is done, 0 to 1; files in work count in part.
    """

    files: int
    done: int
    failed: int
    audio_seconds: float
    seconds: float
    share: float

    @property
    def times_real_time(self) -> float:
        """Seconds of audio converted per second."""
        return self.audio_seconds / self.seconds if self.seconds > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Estimate of the time that is left; None at the start."""
        return self.seconds * (1 - self.share) / self.share if self.share > 0 else None


class ProgressMeter:
    """Counts what is done of the jobs numbered `todo`, and calls `progress` at every change."""

    def __init__(self, state: RunState, todo: list[int], progress: Callable[[BatchProgress], None]):
        self.state, self.progress = state, progress
        self.sizes = {number: state.jobs[number].signature.size for number in todo}
        self.total_bytes, self.bytes_done = sum(self.sizes.values()), 0
        self.shares: dict[int, float] = {}  # of the files in work, by number
        self.start = time.monotonic()
        self.audio_seconds = 0.0
        self.failed = state.report.counts()[Status.FAILED]
        self.left = len(todo)
        self._report()

    def update(self, numbers: Iterable[int], share: float) -> None:
        """Files that are converted together are done to this share, 0 to 1."""
        self.shares.update(dict.fromkeys(numbers, share))
        self._report()

    def finish(self, numbers: Iterable[int]) -> None:
        """Files are converted or have failed."""
        for number in numbers:
            row = self.state.report.rows[number]
            self.shares.pop(number, None)
            self.bytes_done += self.sizes[number]
            self.left -= 1
            self.failed += row.status is Status.FAILED
            self.audio_seconds += row.audio_seconds
        self._report()

    def _report(self) -> None:
        in_work = sum(self.sizes[number] * share for number, share in self.shares.items())
        files = len(self.state.jobs)
        self.progress(
            BatchProgress(
                files=files,
                done=files - self.left,
                failed=self.failed,
                audio_seconds=self.audio_seconds,
                seconds=time.monotonic() - self.start,
                share=(
                    (self.bytes_done + in_work) / self.total_bytes
                    if self.total_bytes
                    else float(not self.left)
                ),
            )
        )
