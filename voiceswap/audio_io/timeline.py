"""When the sound of a video is played: some of its packets may be missing."""

from collections.abc import Iterator

import numpy as np

# FFmpeg's names of formats whose times can be relied on; elsewhere they wrap, or are guessed.
TIMED = ("matroska,webm", "mov,mp4,m4a,3gp,3g2,mj2")
GAP_SECONDS = 0.1  # by which sound may be early before silence is put in
JUMP_SECONDS = 0.01  # of the times at a gap: without one, a recorder's clock is slow
MOST_SILENCE = 3600.0  # seconds in all, where no header tells the length: more are damaged times
LATE = 0.5  # seconds by which sound may end after what its header tells
PIECE_SECONDS = 1.0  # of silence at once


class Timeline:
    """Puts silence where a recorder lost sound.

    Recorders of calls write nothing while nobody speaks, and others drop packets. Without silence
    in their place, all that follows would be too early for the pictures.
    """

    def __init__(self, rate: int, channels: int, seconds: float | None):
        """Of sound that is `seconds` long by its header; None where that does not tell."""
        self._rate, self._channels, self._seconds = rate, channels, seconds
        self._start: float | None = None  # seconds
        self._given = self._silent = 0  # samples
        self._until = 0.0  # seconds: the end of the last part

    def placed(self, time: float | None, part: np.ndarray) -> Iterator[np.ndarray]:
        """A part (samples, channels) that is played at `time` seconds, after what is missing.

        None is right after the part before.
        """
        if time is not None:
            if self._start is None:
                self._start = self._until = time
            yield from self._silence(time, time - self._start - self._given / self._rate)
            self._until = time
        self._until += len(part) / self._rate
        self._given += len(part)
        yield part

    def _silence(self, time: float, lacking: float) -> Iterator[np.ndarray]:
        if lacking < GAP_SECONDS or time - self._until < JUMP_SECONDS or not self._fits(lacking):
            return
        missing, step = round(lacking * self._rate), round(PIECE_SECONDS * self._rate)
        self._given += missing
        self._silent += missing
        for first in range(0, missing, step):
            yield np.zeros((min(step, missing - first), self._channels), np.float32)

    def _fits(self, lacking: float) -> bool:
        if self._seconds is None:
            return self._silent / self._rate + lacking < MOST_SILENCE
        return self._given / self._rate + lacking < self._seconds + LATE
