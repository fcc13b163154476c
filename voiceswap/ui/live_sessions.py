"""Who is live now: each visitor's stream, how many there may be, and when one is given up."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock
from weakref import WeakSet

import numpy as np

from voiceswap.audio_io.writing import PEAK
from voiceswap.conversion.background import compute_alone
from voiceswap.conversion.streaming import Stream
from voiceswap.conversion.swapper import VoiceSwapper
from voiceswap.conversion.voice_library import VoiceLibrary
from voiceswap.errors import VoiceswapError
from voiceswap.live.warm_up import warm_up

GONE_SECONDS = 10.0  # without samples: another visitor may take the place
SILENT_MINUTES = 5  # without a sound: the session ends
SOUND = 10 ** (-50 / 20)  # a peak below this is none
# Hz, of what a browser may send; all usual rates are multiples of the step. A resampler has filters
# for each phase between two rates, and an odd rate has many phases: those of 95,989 Hz take 1.2 GB.
LOWEST_RATE, HIGHEST_RATE, RATE_STEP = 8000, 96000, 25


@dataclass(frozen=True)
class LiveChoice:
    """What a visitor chose: a voice of the library, semitones, latency, and the browser's rate."""

    voice: str
    pitch: float
    latency: str
    rate: int


@dataclass
class VisitorSession:
    """One visitor's conversion in progress.

    Attributes:
        stream, choice: what converts, and what it was made for.
        caller: the call of the page that samples come by.
        used, sounded: when samples came, and when there was a sound in them.
        lock: held while the stream works, which takes one thread.
    """

    stream: Stream
    choice: LiveChoice
    caller: object
    used: float
    sounded: float
    lock: Lock = field(default_factory=Lock)


class LiveSessions:
    """All sessions of a page. Serves many threads.

    Args:
        swapper, library: the model and its voices.
        most: how many there may be at once.
        clock: seconds that pass.
    """

    def __init__(
        self,
        swapper: VoiceSwapper,
        library: VoiceLibrary,
        most: int,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.swapper, self.library, self.most, self._clock = swapper, library, most, clock
        self._sessions: dict[str, VisitorSession] = {}
        self._over: WeakSet[object] = WeakSet()  # calls whose session has ended
        self._warm: set[str] = set()  # latencies
        self._lock, self._warming = Lock(), Lock()
        # Blocks are small, and there may be as many visitors as cores: a thread for each, and one
        # that warms up, which takes seconds.
        self._threads = ThreadPoolExecutor(most + 1, "live", compute_alone)

    def push(
        self, visitor: str, caller: object, choice: LiveChoice, samples: np.ndarray
    ) -> tuple[np.ndarray, float]:
        """What is converted by now, and the latency of the conversion in seconds.

        Args:
            visitor: whose session it is; it begins with the first samples.
            caller: the call that the samples came by; a later call takes the session over.
            choice: how to convert, which may change while somebody speaks; the rate may not.
            samples: (samples,) at the choice's rate.

        Raises:
            VoiceswapError: the page is full, the session is over, or a value can't be used.
        """
        session = self._session(visitor, caller, choice)
        with session.lock:
            rest = self._follow(session, choice)
            made = np.concatenate(
                [rest, self._threads.submit(session.stream.push, samples).result()]
            )
            session.used = self._clock()
            if float(np.abs(samples).max(initial=0.0)) > SOUND:
                session.sounded = session.used
        if session.used - session.sounded > 60 * SILENT_MINUTES:
            self.leave(visitor)
            raise VoiceswapError(
                f"Nobody has spoken for {SILENT_MINUTES} minutes, so the microphone is off."
            )
        return made.clip(-PEAK, PEAK), session.stream.latency

    def leave(self, visitor: str | None) -> None:
        """End a visitor's session, if there is one."""
        with self._lock:
            self._drop(visitor or "")

    def _session(self, visitor: str, caller: object, choice: LiveChoice) -> VisitorSession:
        with self._lock:
            if caller in self._over:
                raise VoiceswapError("This live session is over; start another one.")
            session = self._sessions.get(visitor)
            if session is not None and session.caller is caller:
                return session
            self._require_place(visitor)
        stream = self._stream(choice)  # which takes a moment, in which the others go on
        with self._lock:
            self._require_place(visitor)
            self._drop(visitor)
            now = self._clock()
            session = VisitorSession(stream, choice, caller, now, now)
            self._sessions[visitor] = session
            return session

    def _require_place(self, visitor: str) -> None:
        """Give up who has gone, and raise if no place is left."""
        now = self._clock()
        for other, session in list(self._sessions.items()):
            if now - session.used > GONE_SECONDS:
                self._drop(other)
        if visitor not in self._sessions and len(self._sessions) >= self.most:
            raise VoiceswapError(
                f"All {self.most} places for live conversion are taken; try again in a moment."
            )

    def _drop(self, visitor: str) -> None:
        if visitor in self._sessions:
            self._over.add(self._sessions.pop(visitor).caller)

    def _follow(self, session: VisitorSession, choice: LiveChoice) -> np.ndarray:
        """Make a session's stream what was chosen. Gives samples that are left of another."""
        stream, before, rest = session.stream, session.choice, np.zeros(0, np.float32)
        if choice.rate != before.rate:
            raise VoiceswapError("The rate of the samples can't change while they come.")
        if choice.latency != before.latency:
            rest = self._threads.submit(stream.flush).result()
            session.stream = self._stream(choice, stream)
        elif choice.voice != before.voice:
            stream.set_voice(self.library.voice(choice.voice))
        session.stream.set_pitch_shift(choice.pitch)
        session.choice = choice
        return rest

    def _stream(self, choice: LiveChoice, before: Stream | None = None) -> Stream:
        """A stream, which knows what the one `before` it knew of its speaker."""
        if not LOWEST_RATE <= choice.rate <= HIGHEST_RATE or choice.rate % RATE_STEP:
            raise VoiceswapError(
                f"The rate of the samples is {choice.rate} Hz, but has to be a multiple of "
                f"{RATE_STEP} from {LOWEST_RATE} to {HIGHEST_RATE}."
            )
        voice = self.library.voice(choice.voice)
        with self._warming:  # one at a time, or those who speak would wait for a thread
            if choice.latency not in self._warm:
                self._threads.submit(warm_up, self.swapper, voice, choice.latency).result()
                self._warm.add(choice.latency)
        return self.swapper.stream(
            voice,
            before.statistics if before else None,
            choice.latency,
            pitch_shift=choice.pitch,
            rate=choice.rate,
        )
