"""A stream between a microphone and a loudspeaker, by PortAudio."""

import contextlib
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from voiceswap.audio_io.writing import PEAK
from voiceswap.conversion.streaming import CROSSFADE, Stream
from voiceswap.errors import VoiceswapError
from voiceswap.live.portaudio import portaudio

DEVICE_BLOCK = 0.02  # seconds that a device gives and takes at a time
# After a moment in which the computer was too slow, what is older is dropped, so that the delay
# does not stay longer: seconds of input, and blocks of output of which two are usual.
MOST_WAITING, MOST_READY = 0.5, 3


@dataclass
class Meter:
    """What is going on, for a display. Levels are peaks from 0 to 1 since the last look."""

    recorded: float = 0.0
    made: float = 0.0
    load: float = 0.0  # time of computing of the time that passes
    dropouts: int = 0


@dataclass
class LiveSession:
    """Runs a stream on devices until `stop`. A context: devices are closed at its end.

    Args:
        stream: at the rate that the devices run at.
        input_device, output_device: names or numbers; None is the system's choice.
        play: opens the devices, as `sounddevice.Stream` does; for tests.

    Raises:
        VoiceswapError: there is no device, or it can't be opened; one sentence tells why.
    """

    stream: Stream
    input_device: str | int | None = None
    output_device: str | int | None = None
    play: Callable[..., Any] | None = None
    bypass: bool = False
    meter: Meter = field(default_factory=Meter)
    error: Exception | None = None

    def __post_init__(self) -> None:
        self._recorded: queue.Queue[np.ndarray | None] = queue.Queue()
        self._ready, self._lock = np.zeros(0, np.float32), threading.Lock()
        self._begun = False
        self._recorded_samples = self._played_samples = 0  # what is dropped counts as played

    def __enter__(self) -> "LiveSession":
        self._worker = threading.Thread(target=self._work, daemon=True)
        with contextlib.ExitStack() as opened:
            try:
                self._devices = (self.play or portaudio().Stream)(
                    samplerate=self.stream.rate,
                    blocksize=round(DEVICE_BLOCK * self.stream.rate),
                    device=(self.input_device, self.output_device),
                    channels=1,
                    dtype="float32",
                    callback=self._callback,
                )
                opened.callback(self._devices.close)
                self._devices.start()
            except VoiceswapError:
                raise
            except Exception as error:  # PortAudio's own error can't be named without PortAudio
                raise VoiceswapError(
                    f"The sound device can't be used ({_first_line(error)}); "
                    "'voiceswap live --list-devices' shows those that are there."
                ) from error
            opened.pop_all()
        self._worker.start()
        return self

    def __exit__(self, kind, error, trace) -> None:
        self._devices.stop()
        self._devices.close()
        self._recorded.put(None)
        self._worker.join(timeout=10)

    @property
    def active(self) -> bool:
        """Whether the devices still run: one that was unplugged does not."""
        return bool(self._devices.active) and self.error is None

    @property
    def delay(self) -> float:
        """Seconds from recording a sample to playing it, without the devices' own buffers."""
        if not self._begun:
            return self.stream.latency + self.stream.block_seconds
        return (self._recorded_samples - self._played_samples) / self.stream.rate

    def _callback(self, indata: np.ndarray, outdata: np.ndarray, frames: int, *_: Any) -> None:
        recorded = indata[:, 0].copy()
        self.meter.recorded = max(self.meter.recorded, float(np.abs(recorded).max(initial=0.0)))
        dropped = 0
        if self._recorded.qsize() * DEVICE_BLOCK >= MOST_WAITING:
            self.meter.dropouts += 1
            with contextlib.suppress(queue.Empty):  # which was taken meanwhile
                oldest = self._recorded.get_nowait()
                dropped = 0 if oldest is None else len(oldest)
        self._recorded.put(recorded)
        with self._lock:
            ready, self._ready = self._ready[:frames], self._ready[frames:]
            self._recorded_samples += frames
            self._played_samples += len(ready) + dropped
        if len(ready) < frames and self._begun:
            self.meter.dropouts += 1
        outdata[:, 0] = recorded if self.bypass else np.pad(ready, (0, frames - len(ready)))
        self.meter.made = max(self.meter.made, float(np.abs(outdata).max(initial=0.0)))

    def _work(self) -> None:
        ahead = np.zeros(0, np.float32)  # one block is kept waiting, to last while the next is made
        try:
            while (samples := self._recorded.get()) is not None:
                start = time.perf_counter()
                made = self.stream.push(samples)
                took = time.perf_counter() - start
                self.meter.load = 0.95 * self.meter.load + 0.05 * took / DEVICE_BLOCK
                if not len(made):
                    continue
                with self._lock:
                    if not self._begun:
                        ahead, self._begun = np.zeros(len(made), np.float32), True
                        self._played_samples -= len(ahead)
                    self._ready = np.concatenate([self._ready, ahead, made.clip(-PEAK, PEAK)])
                    ahead = ahead[:0]
                    self._drop_surplus()
        except Exception as error:
            self.error = error

    def _drop_surplus(self) -> None:
        """Fade from the oldest of what is ready to its last two blocks, if there are too many."""
        block = round(self.stream.block_seconds * self.stream.rate)
        surplus, fade = len(self._ready) - 2 * block, round(CROSSFADE * self.stream.rate)
        if surplus <= (MOST_READY - 2) * block:
            return
        rising = np.linspace(0, 1, fade, dtype=np.float32)
        faded = (1 - rising) * self._ready[:fade] + rising * self._ready[surplus:][:fade]
        self._ready = np.concatenate([faded, self._ready[surplus + fade :]])
        self._played_samples += surplus
        self.meter.dropouts += 1


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".:")
