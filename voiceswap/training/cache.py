"""Features for training, computed once: a folder with one safetensors file a cut.

The front end is not trained, so encoding a few perturbed versions of each recording ahead of time
saves running it at every step. Files are written atomically; a build that was stopped goes on where
it was. A file's name is a hash of all that its features depend on; what was made of other
recordings or cuts stays, and the folder may be removed whenever nothing trains on it.
"""

import os
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import chain
from pathlib import Path

import torch
from lhotse.cut import Cut
from rich.progress import track
from safetensors.torch import save_file

from voiceswap.errors import AudioError, DataError, VoiceswapError
from voiceswap.files import file_signature, whole_file
from voiceswap.models import pretrained
from voiceswap.results_log import short_hash
from voiceswap.training.feature_extractor import CacheConfig, FeatureExtractor

IN_SHARDS = ("shar", "memory")  # types of sources: before and after a shard's audio is read


class FeatureCache:
    """Cached features of cuts, below `folder`.

    A file holds `samples` (samples,) int16 at the normal level, `mel` (mels, frames), `f0`
    (frames,), `content` (views, channels, front-end frames) and `verifier` (windows, 256; one every
    0.4 s).
    """

    def __init__(self, folder: str | os.PathLike, config: CacheConfig):
        self.folder = Path(folder) / config.signature()
        self.config = config

    def path(self, cut: Cut) -> Path:
        """Where the features of a cut lie: another place where it, or its recording, has changed.

        Recordings that lie in shards are told by the shard.
        """
        recording, shard = cut.recording, (cut.custom or {}).get("shard_origin")
        sources = [source.source for source in recording.sources if source.type not in IN_SHARDS]
        if shard is not None:
            sources.append(os.path.abspath(shard))
        channels, transforms = repr(cut.channel), repr(recording.transforms)
        signatures = [[source, *file_signature(source)] for source in sources]
        key = [cut.id, cut.start, cut.duration, channels, transforms, signatures]
        return self.folder / f"{short_hash(key)}.safetensors"

    def holds(self, cut: Cut) -> bool:
        """Whether the features of a cut are there, as it and its recording are now."""
        return self.path(cut).exists()

    def build(self, cuts: Iterable[Cut], jobs: int = 2, total: int | None = None) -> dict[str, str]:
        """Compute what is missing. Returns why each cut that can't be used was left out, by cut id.

        A few cuts at a time are taken from `cuts`, so what streams recordings from shards may be
        bigger than memory; `total` is for the progress bar.

        Raises DataError where a process that computes them dies.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        missing = (cut for cut in cuts if not self.holds(cut))
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


_worker: "tuple[FeatureCache, FeatureExtractor] | VoiceswapError"


def _start_worker(cache: FeatureCache) -> None:
    global _worker
    torch.set_num_threads(1)
    try:
        _worker = cache, FeatureExtractor(cache.config)
    except VoiceswapError as error:  # raised by the first cut: here it would only end the process
        _worker = error


def _compute(cut) -> str | None:
    if isinstance(_worker, VoiceswapError):
        raise _worker
    cache, extract = _worker
    try:
        tensors = extract(cut)
    except AudioError as error:
        return str(error)
    with whole_file(cache.path(cut)) as temporary:
        save_file(tensors, temporary)
    return None
