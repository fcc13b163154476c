"""A recording as the models hear it: window by window, so that its length does not matter."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from voiceswap.audio import ACTIVE_LEVEL_DB, BLOCK_SECONDS, MIN_SECONDS, SILENCE_PEAK, frame_powers, level_of_powers
from voiceswap.errors import AudioError
from voiceswap.features import AudioConfig, extract_f0
from voiceswap.frontends import CONTEXT, CORE
from voiceswap.layers import RunningMoments
from voiceswap.spool import Spool


@dataclass(frozen=True)
class Window:
    """Mel frames `first` to `last` of a recording, and `left` to `right` with the context around them."""

    left: int
    first: int
    last: int
    right: int


def windows(frames: int, rate: float, context: float, core: float = CORE, stride: int = 2) -> list[Window]:
    """Windows of `core` seconds that cover `frames`, on a fixed grid, with `context` seconds more on either side."""
    step, beside = (round(seconds * rate / stride) * stride for seconds in (core, context))
    return [
        Window(max(0, first - beside), first, min(first + step, frames), min(first + step + beside, frames))
        for first in range(0, frames, step)
    ]


class Speech:
    """Samples at the normal level, F0, level and loudness of a recording, and, once heard, its content.

    Made of blocks of mono samples at the models' rate. Raises AudioError when there is too little of it or it is
    silent; `name` is what the sentence calls it.
    """

    def __init__(self, blocks: Iterator[np.ndarray], config: AudioConfig, name: str):
        self.config, self.name = config, name
        self._samples = Spool(np.float32)
        total = 0.0
        for block in blocks:
            self._samples.append(block)
            total += float(block.sum(dtype=np.float64))
        if len(self._samples) == 0:
            raise AudioError(f"{name} holds no samples.")
        if len(self) < MIN_SECONDS * config.sample_rate:
            raise AudioError(f"{name} is {len(self) / config.sample_rate:.2f} s long; at least {MIN_SECONDS} s is needed.")
        self.frames = config.frames(len(self))
        self._offset, self._gain = total / len(self), 1.0  # an offset is no sound, but would count as level
        self.windows = windows(self.frames, config.frame_rate, CONTEXT)
        powers, peak = [], 0.0
        for window in self.windows:
            samples = self.samples(window.first, window.last)
            powers.append(frame_powers(samples, config.sample_rate))
            peak = max(peak, float(np.abs(samples).max()))
        if peak < SILENCE_PEAK:
            raise AudioError(f"{name} is silent.")
        self.level_db = level_of_powers(np.concatenate(powers))  # of the recording as it came
        self._gain = 10 ** ((ACTIVE_LEVEL_DB - self.level_db) / 20)
        self.f0 = np.concatenate([self._f0(window) for window in self.windows])
        self.loudness = -math.inf
        self.feature_moments, self.mean_moments = RunningMoments(), RunningMoments()

    def __len__(self) -> int:
        return len(self._samples)

    def samples(self, first: int = 0, last: int | None = None) -> np.ndarray:
        """Samples of mel frames first to last, at the normal level; float32."""
        hop = self.config.hop_length
        read = self._samples.read(first * hop, len(self) if last is None else last * hop)
        return ((read - self._offset) * self._gain).astype(np.float32)

    def keep_features(self, features: Tensor) -> None:
        """Add the front end's features (channels, frames) of the next window, without its context."""
        if not hasattr(self, "_features"):
            self._features = Spool(np.float16, len(features))
        self.feature_moments.add(features)
        self._features.append(features.T.cpu().numpy())

    def features(self, first: int, last: int) -> Tensor:
        """The front end's features (channels, last - first), counted in its own frames."""
        return torch.from_numpy(self._features.read(first, last)).float().T

    def busiest(self, seconds: float) -> tuple[int, int]:
        """The frames, first and last, of the stretch of `seconds` in which most is voiced; of all where it is shorter."""
        length = min(round(seconds * self.config.frame_rate), self.frames)
        voiced = np.concatenate([[0], np.cumsum(self.f0 > 0)])
        first = int(np.argmax(voiced[length:] - voiced[: len(voiced) - length])) // 2 * 2
        return first, first + length

    def _f0(self, window: Window) -> np.ndarray:
        f0 = extract_f0(self.samples(window.left, window.right), self.config)
        return f0[window.first - window.left : window.last - window.left]


class Spoken:
    """A conversion's samples as they come, (samples,) in all."""

    def __init__(self, samples: int, config: AudioConfig):
        self.samples, self.config = samples, config
        self.spool, self.peak = Spool(np.float32), 1e-9
        self.powers: list[np.ndarray] = []

    def append(self, samples: np.ndarray) -> None:
        """The next samples; what is beyond the length is left out."""
        samples = samples[: self.samples - len(self.spool)]
        self.spool.append(samples)
        self.powers.append(frame_powers(samples, self.config.sample_rate))
        self.peak = max(self.peak, float(np.abs(samples).max()))

    def gain(self, speech: Speech) -> float:
        """What makes it as loud as the recording was."""
        return 10 ** ((speech.level_db - level_of_powers(np.concatenate(self.powers))) / 20)

    def blocks(self) -> Iterator[np.ndarray]:
        """The samples, some seconds at a time."""
        step = BLOCK_SECONDS * self.config.sample_rate
        for first in range(0, len(self.spool), step):
            yield self.spool.read(first, first + step)


def noise_at(seed: int, first: int, last: int, channels: int) -> Tensor:
    """Unit noise (channels, last - first) that depends on seed and position alone, so that windows agree where they overlap."""
    block = 1024
    start, stop = first // block, -(-last // block)
    drawn = [torch.randn(channels, block, generator=torch.Generator().manual_seed((seed << 20) + i)) for i in range(start, stop)]
    return torch.cat(drawn, 1)[:, first - start * block : last - start * block]
