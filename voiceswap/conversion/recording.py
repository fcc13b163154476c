"""A recording as the models need it: in windows, so that its length does not matter."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from voiceswap.audio_io.checks import MIN_RECORDING_SECONDS, require_length, require_sound
from voiceswap.audio_io.decoding import BLOCK_SECONDS
from voiceswap.conversion.batching import batches
from voiceswap.conversion.denoise import denoise
from voiceswap.conversion.disk_array import DiskArray
from voiceswap.conversion.loudness import Contours, power_contours
from voiceswap.conversion.mel_statistics import near_speech
from voiceswap.dsp.bandwidth import missing_highs
from voiceswap.dsp.filters import high_pass
from voiceswap.dsp.hum import HumRemover
from voiceswap.dsp.level import ACTIVE_LEVEL_DB, frame_powers, level_of_powers
from voiceswap.dsp.piecewise import piecewise
from voiceswap.features import AudioConfig, F0Batch
from voiceswap.models.front_ends import CONTEXT, CORE
from voiceswap.transfer import overlapped

RUMBLE = 0.5  # power below 45 Hz, relative to the speech's, above which rumble is filtered out
# Wind has more than so much power below 45 Hz and from 45 to 70 Hz, relative to the speech's, and
# swells, so it is not steady noise. Loudness is then measured above it.
WIND_BELOW, WIND, VOICE_HZ, WIND_HZ = 0.08, 0.04, 70.0, 140.0
# Frames so far below the active level are pauses; long ones are left out of what is known of the
# content, where they are such a share of a recording.
PAUSE_DB, PAUSE_SHARE = -25.0, 0.25
RECEPTIVE_SECONDS = 1.0  # content encoder, decoder and vocoder together reach less far than this


FullBand = Callable[[float, float], np.ndarray]  # from and to in seconds: samples (samples,)


@dataclass(frozen=True)
class Window:
    """Mel frames `first` to `last` of a recording, and `left` to `right` with context."""

    left: int
    first: int
    last: int
    right: int


def windows(frames: int, rate: float, context: float) -> list[Window]:
    """Windows of CORE seconds on a fixed grid, with `context` seconds more on either side.

    Edges are even numbers of mel frames, of which there are `rate` a second.
    """
    step, beside = (2 * round(seconds * rate / 2) for seconds in (CORE, context))
    return [
        Window(
            max(0, first - beside),
            first,
            min(first + step, frames),
            min(first + step + beside, frames),
        )
        for first in range(0, frames, step)
    ]


class Recording:
    """Samples at the normal level, level and F0 of a recording. Does not change once made.

    Its F0 is tracked when it is asked for, or by `track_f0` together with others'.

    Hum and steady noise are removed, and, where there is much of it, what is below 45 Hz: none of
    them is speech, and all would count as level.

    Attributes:
        config: the audio settings.
        name: what errors and notes call it.
        frames: number of mel frames.
        seconds: length.
        level_db: active level of the recording as it came, dB relative to full scale.
        contours: mean powers of mel frames of the recording as it came, above 45 Hz, or, in wind,
            above 140 Hz.
        windows: the front end's windows.
    """

    def __init__(
        self,
        blocks: Iterator[np.ndarray],
        config: AudioConfig,
        name: str,
        seconds: Callable[[], float] | None = None,
        full_band: FullBand | None = None,
        noisy: bool = False,
        shortest: float = MIN_RECORDING_SECONDS,
    ):
        """Read blocks of mono samples (samples,) at the models' rate.

        `seconds` tells its length before it was resampled, once it is read; `full_band` reads it at
        a higher rate; a `noisy` one keeps its noise and hum.
        Raises AudioError when it is less than `shortest` seconds long, or silent.
        """
        self.config, self.name, self._full_band = config, name, full_band
        self._samples = self._noisy = DiskArray(np.float32)
        moments = np.zeros(2)
        if not noisy:
            self._noisy = DiskArray(np.float32)
            blocks = piecewise(blocks, config.sample_rate, HumRemover())
            blocks = piecewise(_kept(blocks, self._noisy), config.sample_rate, denoise)

        def measured() -> Iterator[np.ndarray]:
            for block in _kept(blocks, self._samples):
                wide = block.astype(np.float64)
                moments[:] += wide.sum(), np.einsum("i,i", wide, wide)  # `@` would start threads
                yield block

        self.contours = power_contours(high_pass(measured(), config.sample_rate), config)
        require_length(len(self), config.sample_rate, name, shortest)
        self.frames = config.frames(len(self))
        self.seconds = len(self) / config.sample_rate if seconds is None else seconds()
        mean, square = moments / len(self)
        self._offset, self._gain = float(mean), 1.0  # an offset is no sound, but counts as level
        below = square - mean**2 - self.contours.powers.mean()
        speech = 10 ** (level_of_powers(self.contours.powers) / 10)
        if below > WIND_BELOW * speech and self._has_wind():
            self.contours = self._contours_above(WIND_HZ)
        if below > RUMBLE * speech:
            self._offset = 0.0
            self._samples, self._noisy = map(self._without_rumble, (self._samples, self._noisy))
        self.windows = windows(self.frames, config.frame_rate, CONTEXT)
        powers, peak = [], 0.0
        for window in self.windows:
            samples = self.samples(window.first, window.last)
            powers.append(frame_powers(samples, config.sample_rate))
            peak = max(peak, float(np.abs(samples).max()))
        require_sound(peak, name)
        self.level_db = level_of_powers(np.concatenate(powers))
        self._gain = 10 ** ((ACTIVE_LEVEL_DB - self.level_db) / 20)
        self._f0: np.ndarray | None = None

    @property
    def f0(self) -> np.ndarray:
        """(frames,), Hz, 0 where unvoiced."""
        if self._f0 is None:
            track_f0([self], torch.device("cpu"), 1)
            assert self._f0 is not None
        return self._f0

    def __len__(self) -> int:
        return len(self._samples)

    def samples(self, first: int = 0, last: int | None = None, noisy: bool = False) -> np.ndarray:
        """Samples of mel frames `first` to `last`, at the normal level; float32.

        `noisy` ones still have the recording's noise, but no hum.
        """
        hop, kept = self.config.hop_length, self._noisy if noisy else self._samples
        samples = kept.read(first * hop, len(self) if last is None else last * hop)
        samples -= self._offset
        samples *= self._gain
        return samples

    def full_band(self, first: int, last: int, audio: AudioConfig) -> np.ndarray | None:
        """Mel frames `first` to `last` at the rate of `audio`, with as much gain as `samples` have.

        None where the recording does not reach above its own rate.
        """
        if self._full_band is None:
            return None
        rate = self.config.frame_rate
        samples = self._full_band(first / rate, last / rate)
        if missing_highs(samples, audio.sample_rate):
            return None
        length = (last - first) * audio.hop_length
        return self._gain * np.pad(samples[:length], (0, max(0, length - len(samples))))

    @cached_property
    def near_speech(self) -> np.ndarray:
        """Which mel frames are no long pause, (frames,), bool; all, where long pauses are few."""
        powers = self.contours.powers
        loud = powers > 10 ** ((level_of_powers(powers) + PAUSE_DB) / 10)
        speech = torch.from_numpy(loud)[None]
        return near_speech(speech, self.config.frame_rate, PAUSE_SHARE)[0].numpy()

    def densest_segment(self, seconds: float) -> tuple[int, int]:
        """First and last mel frame of the segment of at most `seconds` with most voiced frames."""
        length = min(round(seconds * self.config.frame_rate), self.frames)
        voiced = np.concatenate([[0], np.cumsum(self.f0 > 0)])
        first = int(np.argmax(voiced[length:] - voiced[: len(voiced) - length])) // 2 * 2
        return first, first + length

    def _has_wind(self) -> bool:
        powers = self._contours_above(VOICE_HZ).powers
        low = self.contours.powers.mean() - powers.mean()
        return bool(low > WIND * 10 ** (level_of_powers(powers) / 10))

    def _contours_above(self, lowest: float) -> Contours:
        rate = self.config.sample_rate
        blocks = self._samples.blocks(BLOCK_SECONDS * rate)
        return power_contours(high_pass(blocks, rate, lowest=lowest), self.config)

    def _without_rumble(self, samples: DiskArray) -> DiskArray:
        rate = self.config.sample_rate
        blocks = samples.blocks(BLOCK_SECONDS * rate)
        return DiskArray.of(high_pass(blocks, rate), np.float32)


def track_f0(recordings: Sequence[Recording], device: torch.device, batch_size: int) -> None:
    """Give recordings of one rate their F0: all windows of all of them in batches on a device."""
    unknown = [recording for recording in recordings if recording._f0 is None]
    contours: list[list[np.ndarray]] = [[] for _ in unknown]
    todo = [(number, w) for number, r in enumerate(unknown) for w in r.windows]

    def start(batch: Sequence[tuple[int, Window]]) -> F0Batch:
        waves = [unknown[number].samples(w.left, w.right) for number, w in batch]
        return F0Batch(waves, unknown[0].config, device)

    def finish(batch: Sequence[tuple[int, Window]], tracked: F0Batch) -> None:
        for f0, (number, w) in zip(tracked.contours(), batch, strict=True):
            contours[number].append(f0[w.first - w.left : w.last - w.left])

    overlapped(batches(todo, batch_size), start, finish)
    for recording, parts in zip(unknown, contours, strict=True):
        recording._f0 = np.concatenate(parts)


@dataclass(frozen=True)
class EncodedRecording:
    """A recording with the front end's features and the content posterior's.

    content_rows are (frames, 2, code): the posterior's mean before its instance norm, and its
    log-variance. feature_statistics and content_statistics are mean and standard deviation,
    (channels, 1) each, of the front end's features and of that mean, over the whole recording.
    """

    recording: Recording
    feature_rows: DiskArray
    feature_statistics: tuple[Tensor, Tensor]
    content_rows: DiskArray
    content_statistics: tuple[Tensor, Tensor]

    def features(self, first: int, last: int) -> Tensor:
        """The front end's features (channels, last - first), counted in its own frames."""
        return torch.from_numpy(self.feature_rows.read(first, last)).float().T


def _kept(blocks: Iterator[np.ndarray], samples: DiskArray) -> Iterator[np.ndarray]:
    """The blocks as they come, which are added to `samples`."""
    for block in blocks:
        samples.append(block)
        yield block
