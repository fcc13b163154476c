"""Features for training, computed once: a folder with one safetensors file a cut.

The front end is frozen, so encoding a few perturbed versions of each recording ahead of time saves
running it at every step. Files are written atomically; a build that was stopped goes on where it
was.
"""

import hashlib
import inspect
import json
import os
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from lhotse.cut import Cut
from rich.progress import track
from safetensors import safe_open
from safetensors.torch import save_file

from voiceswap import (
    audio,
    bandwidth,
    channels,
    f0_tracker,
    features,
    perturb,
    precision,
    spectra,
)
from voiceswap.audio import prepare_audio, set_level
from voiceswap.bandwidth import missing_highs
from voiceswap.errors import AudioError, DataError, VoiceswapError
from voiceswap.features import AudioConfig, LogMel, extract_f0
from voiceswap.files import whole_file
from voiceswap.models import front_ends, layers, pretrained, quantization, speaker_verifier
from voiceswap.precision import has_fast_bfloat16
from voiceswap.results_log import name_hash


@dataclass(frozen=True)
class CacheConfig:
    """What a cached file holds.

    `views` counts the versions that the front end encodes: the recording, then perturbed ones; with
    0 it encodes none, and runs at every step of the training instead.
    `samples_rate`, in Hz, is that of the samples beside them.
    """

    audio: AudioConfig
    front_end: str = "whisper-base"
    views: int = 5
    samples_rate: int = 16000

    def signature(self) -> str:
        """Short hash of every setting and of the code: features that differ never mix."""
        settings = [
            self.audio.to_dict(),
            self.front_end,
            self.views,
            self.samples_rate,
            _code_signature(),
        ]
        text = json.dumps(settings, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


@cache
def _code_signature() -> str:
    """Hash of the code that makes features: that of another version is not taken for this one's."""
    modules = (
        audio,
        channels,
        features,
        f0_tracker,
        bandwidth,
        spectra,
        precision,
        layers,
        front_ends,
        pretrained,
        quantization,
        speaker_verifier,
        perturb,
    )
    sources = [inspect.getsource(module) for module in modules]
    sources.append(inspect.getsource(_Extractor))
    return hashlib.sha256("".join(sources).encode()).hexdigest()


class FeatureCache:
    """Cached features of cuts, below `folder`.

    A file holds `samples` (samples,) int16 at the normal level, `mel` (mels, frames), `f0`
    (frames,), `content` (views, channels, front-end frames) and `verifier` (windows, 256; one every
    0.4 s).
    """

    def __init__(self, folder: str | os.PathLike, config: CacheConfig):
        self.folder = Path(folder) / config.signature()
        self.config = config

    def path(self, cut_id: str) -> Path:
        """Where the features of a cut lie. Any id makes a safe name."""
        return self.folder / f"{hashlib.sha256(cut_id.encode()).hexdigest()[:24]}.safetensors"

    def open(self, cut_id: str):
        """The cut's file, for reading whole tensors or slices of them."""
        return safe_open(self.path(cut_id), "pt")

    def build(self, cuts: Iterable[Cut], jobs: int = 2, total: int | None = None) -> dict[str, str]:
        """Compute what is missing. Returns why each cut that can't be used was left out, by cut id.

        A few cuts at a time are taken from `cuts`, so what streams recordings from shards may be
        bigger than memory; `total` is for the progress bar.

        Raises DataError where a process that computes them dies.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        missing = (cut for cut in cuts if not self.path(cut.id).exists())
        left_out, running = {}, deque[tuple[str, Future]]()

        def finish(most: int) -> None:
            while len(running) > most:
                cut_id, future = running.popleft()
                if reason := future.result():
                    left_out[cut_id] = reason

        if (first := next(missing, None)) is None:
            return {}
        try:
            with ProcessPoolExecutor(jobs, initializer=_start_worker, initargs=(self,)) as pool:
                for cut in track(chain([first], missing), description="Features", total=total):
                    running.append((cut.id, pool.submit(_compute, cut)))
                    finish(4 * jobs)
                finish(0)
        except BrokenProcessPool as error:
            raise DataError(
                "A process that computes features died, as it does where memory runs out; lower "
                "data.jobs. What is computed is kept."
            ) from error
        return left_out

    def bytes_per_second(self) -> float:
        """About what a second of speech takes on disk, nearly all of it the front end's views."""
        audio = self.config.audio
        channels, stride = pretrained.front_end_shape(self.config.front_end, audio)
        views = 2 * self.config.views * channels * audio.frame_rate / stride
        return views + 2 * self.config.samples_rate + (2 * audio.n_mels + 4) * audio.frame_rate


_worker: "_Extractor | VoiceswapError"


def _start_worker(cache: FeatureCache) -> None:
    global _worker
    torch.set_num_threads(1)
    try:
        _worker = _Extractor(cache)
    except VoiceswapError as error:  # raised by the first cut: here it would only end the process
        _worker = error


def _compute(cut) -> str | None:
    if isinstance(_worker, VoiceswapError):
        raise _worker
    try:
        _worker(cut)
    except AudioError as error:
        return str(error)
    return None


class _Extractor:
    def __init__(self, cache: FeatureCache):
        config = cache.config
        self.cache, self.config, self.audio = cache, config, config.audio
        self.front_end = pretrained.front_end(config.front_end, config.audio)
        self.verifier = pretrained.speaker_verifier()
        self.log_mel = LogMel(config.audio)

    @torch.inference_mode()
    def __call__(self, cut) -> None:
        rate, recorded = self.audio.sample_rate, cut.load_audio()
        unscaled = prepare_audio(recorded, cut.sampling_rate, rate, name=cut.id)
        samples = set_level(unscaled, rate)
        gain = np.abs(samples).max() / np.abs(unscaled).max()
        kept = gain * self._kept(cut, recorded, len(samples))
        rng = np.random.default_rng(name_hash(cut.id))
        views = []
        for view in range(self.config.views):
            wave = set_level(perturb.perturb(samples, rate, rng), rate) if view else samples
            views.append(self._content(wave))
        tensors = {
            "samples": torch.from_numpy((kept.clip(-1, 1) * 32767).round().astype(np.int16)),
            "mel": self.log_mel(torch.from_numpy(samples)[None])[0].half().contiguous(),
            "f0": torch.from_numpy(extract_f0(samples, self.audio)),
            "verifier": self.verifier.windows(self._at_16_khz(samples)).half(),
        }
        if views:
            tensors["content"] = torch.stack(views).half()
        with whole_file(self.cache.path(cut.id)) as temporary:
            save_file(tensors, temporary)

    def _kept(self, cut, recorded: np.ndarray, length: int) -> np.ndarray:
        """The samples to keep, as long as `length` samples at the rate of what is analysed."""
        rate = self.config.samples_rate
        samples = prepare_audio(recorded, cut.sampling_rate, rate, name=cut.id)
        if rate > self.audio.sample_rate and missing_highs(samples, rate):
            raise AudioError(f"{cut.id} lacks the highs that {rate} Hz can hold.")
        whole = length * rate // self.audio.sample_rate
        return np.pad(samples, (0, max(0, whole - len(samples))))[:whole]

    def _content(self, samples: np.ndarray) -> torch.Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=has_fast_bfloat16()):
            features = self.front_end(torch.from_numpy(samples)[None], torch.tensor([len(samples)]))
        return features[0].float()

    def _at_16_khz(self, samples: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(
            prepare_audio(samples, self.audio.sample_rate, self.verifier.sample_rate)
        )
