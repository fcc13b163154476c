"""The Lightning data module that serves segments of speech."""

import logging
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import chain
from pathlib import Path
from typing import Any

import lightning
import torch
from lhotse.cut import Cut
from torch.utils.data import DataLoader

from voiceswap.audio_io.checks import MIN_RECORDING_SECONDS
from voiceswap.errors import DataError
from voiceswap.features import AudioConfig
from voiceswap.files import free_bytes
from voiceswap.models.pretrained import front_end_shape
from voiceswap.training.cache import FeatureCache
from voiceswap.training.corpora import licences, read_cuts, virtual_voice
from voiceswap.training.device_features import DeviceFeatures
from voiceswap.training.feature_extractor import CacheConfig
from voiceswap.training.segments import Item, SegmentDataset
from voiceswap.training.setting_ranges import ANY, require_audio_ranges, require_ranges

logger = logging.getLogger(__name__)
# Lowest sample rate of a recording, as a share of the rate that training asks for; below it the
# highs are missing.
MIN_RATE_SHARE = 0.8
MOST_SEED = 2**31 - 1  # a step's seed for torch has its position in the 32 bits below


class SpeechData(lightning.LightningDataModule):
    """SegmentDataset from cut manifests, with features cached below `cache_dir`.

    `train` and `validation` are manifests written by data_prep, or folders of shards that `lhotse
    shar export` makes of them. Only features are read while training, from disk, so the speech may
    be bigger than memory. Without validation cuts nothing is validated. Each of several processes
    gets `batch_size` items a step.

    `views` counts the cached versions of every recording that the front end has encoded; with 0 it
    runs at every step on the device, which is for GPUs (`DeviceFeatures`).
    `seconds` and `reference_seconds` are the lengths of a segment and of its reference;
    `clean_share` is the share of segments whose content comes from the unperturbed recording. With
    `speeds`, every training voice is also used at one of these speeds, as another voice
    (`virtual_voice`). Speakers are drawn all alike, or with `shares` each manifest of `train`
    gives that share of the segments, so that a language with few speakers can be used more often.
    `samples_rate` is the rate of the waveforms in Hz, the mel's where it is not set; above the
    mel's, recordings without such highs are left out.
    """

    def __init__(
        self,
        train: list[Path],
        validation: list[Path],
        cache_dir: Path,
        audio: AudioConfig,
        front_end: str = "whisper-base",
        samples_rate: int | None = None,
        views: int = 5,
        batch_size: int = 16,
        seconds: float = 2.0,
        reference_seconds: float = 2.4,
        clean_share: float = 0.2,
        speeds: Sequence[float] = (),
        shares: Sequence[float] = (),
        validation_batches: int = 4,
        workers: int = 0,
        jobs: int = os.cpu_count() or 1,
        seed: int = 0,
    ):
        super().__init__()
        require_audio_ranges(audio)
        require_ranges(
            "data",
            samples_rate=(audio.sample_rate if samples_rate is None else samples_rate, 1, ANY),
            views=(views, 0, ANY),
            batch_size=(batch_size, 1, ANY),
            seconds=(seconds, 0.1, ANY),
            reference_seconds=(reference_seconds, 0.1, ANY),
            clean_share=(clean_share, 0, 1),
            speeds=(speeds, 0.1, 10),
            shares=(shares, 0, ANY),
            validation_batches=(validation_batches, 0, ANY),
            workers=(workers, 0, ANY),
            jobs=(jobs, 1, ANY),
            seed=(seed, 0, MOST_SEED),
        )
        if shares and (len(shares) != len(train) or not sum(shares)):
            raise DataError(
                f"data.shares needs a share for each manifest of data.train, {len(train)} here, "
                "not all of them 0."
            )
        if not views and samples_rate not in (None, audio.sample_rate):
            raise DataError(
                "With data.views 0, data.samples_rate must be the mel's: the front end runs on the "
                "samples."
            )
        rate = samples_rate or audio.sample_rate
        audio.at_rate(rate)  # raises where the frames are no whole number of samples at that rate
        self.cache = FeatureCache(cache_dir, CacheConfig(audio, front_end, views, rate))
        self.manifests = {"train": train, "validation": validation}
        self.batch_size, self.validation_batches = batch_size, validation_batches
        self.workers, self.jobs = workers, jobs
        self.frames = round(seconds * audio.frame_rate / 2) * 2
        self.reference_frames = round(reference_seconds * audio.frame_rate)
        self.clean_share, self.speeds, self.shares, self.seed = clean_share, speeds, shares, seed
        self.position = 0  # batches served
        self._device_features: DeviceFeatures | None = None

    def prepare_data(self) -> None:
        """Build what the cache lacks.

        Raises DataError when manifests, sample rates or the room on disk forbid it, or when no
        recording can be used.
        """
        for part in self.manifests:
            known, missing = self._checked_cuts(part)
            if missing:
                self._check_room(sum(missing.values()))
                wanted = set(missing)
                left_out = self.cache.build(self._cuts(part, wanted), self.jobs, len(wanted))
                if len(left_out) == known:
                    raise DataError(
                        f"No recording for {part} can be used: {next(iter(left_out.values()))}"
                    )
                for cut_id, reason in left_out.items():
                    logger.warning("Left out %s: %s", cut_id, reason)

    def _checked_cuts(self, part: str) -> tuple[int, dict[str, float]]:
        """The number of a part's cuts, and the ids and seconds of those that the cache lacks."""
        known, missing = set(), {}
        low, rate = 0, self.cache.config.samples_rate
        for cut in self._cuts(part):
            if cut.id in known:
                raise DataError(
                    f"data.{part} has two cuts {cut.id}; give each manifest once, and prepare "
                    "folders whose speakers have the same names with a --name of their own."
                )
            known.add(cut.id)
            low += cut.sampling_rate < MIN_RATE_SHARE * rate
            if not self.cache.holds(cut):
                missing[cut.id] = cut.duration
        if low:
            raise DataError(
                f"{low} recordings for {part} have a sample rate far below the {rate} Hz that "
                "data asks for, so they lack the highs; lower data.audio.sample_rate or "
                f"data.samples_rate, or prepare them with --min-rate {rate}."
            )
        return len(known), missing

    def train_dataloader(self) -> DataLoader:
        """Endless batches, from the position of the last checkpoint on."""
        self.training = self._segments("train", self.clean_share, self.shares)
        self._loader = _TimedLoader(
            self.training, batch_sampler=_ResumableSampler(self), num_workers=self.workers
        )
        return self._loader

    @property
    def waiting_share(self) -> float:
        """The share of time, since the first batch was asked for, that training waited for one."""
        return self._loader.waiting_share

    def val_dataloader(self) -> DataLoader | list:
        """The same few batches of validation speakers every time, content unperturbed."""
        if not any(True for _ in self._cuts("validation")):
            return []
        self.validating = self._segments("validation", 1.0)
        dataset = torch.utils.data.Subset(
            self.validating, range(self.validation_batches * self.batch_size)
        )
        return DataLoader(dataset, self.batch_size, num_workers=0)

    def indices(self, position: int) -> range:
        """The items of this process in the batch at `position`.

        Those of all processes follow on from the batch before.
        """
        processes, rank = (
            (self.trainer.world_size, self.trainer.global_rank) if self.trainer else (1, 0)
        )
        first = (position * processes + rank) * self.batch_size
        return range(first, first + self.batch_size)

    def cuts_served(self) -> list[str]:
        """Ids of the cuts in the batch that training was given last."""
        return [self.training.drawn(index)[1] for index in self.indices(self.position - 1)]

    def on_after_batch_transfer(self, batch: Item, dataloader_idx: int) -> Item:
        """Counts the batches that training has been given, and seeds what is drawn at this step.

        A step's randomness depends on its position alone, so a run that was stopped and resumed
        draws the same.
        """
        training = bool(self.trainer and self.trainer.training)
        if training:
            torch.manual_seed((self.seed << 32) + self.position)
            self.position += 1
        if "surrounded" in batch:
            config = self.cache.config
            if self._device_features is None:
                self._device_features = DeviceFeatures(config.front_end, config.audio)
            with self._precision():
                return self._device_features(batch, self.clean_share if training else 1.0)
        return batch

    def _precision(self) -> AbstractContextManager:
        """The context of a step's arithmetic, in which Lightning does not hand over batches."""
        return self.trainer.precision_plugin.forward_context() if self.trainer else nullcontext()

    def state_dict(self) -> dict[str, Any]:
        """The position, for exact resume, and what the data are, for the model card."""
        return {"position": self.position, "data": licences(self.manifests["train"])}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a checkpoint's position."""
        self.position = state_dict["position"]

    def _cuts(self, part: str, wanted: set[str] | None = None) -> Iterator[Cut]:
        """Cuts of a part; with `wanted`, those alone, with recordings that are in shards."""
        return chain.from_iterable(
            self._corpus(path, part, wanted) for path in self.manifests[part]
        )

    def _corpus(self, path: Path, part: str, wanted: set[str] | None = None) -> Iterator[Cut]:
        for cut in read_cuts(path, audio=wanted is not None):
            voices = [cut]
            if part == "train" and self.speeds:
                voices.append(virtual_voice(cut, self.speeds))
            for voice in voices:
                if voice.duration >= MIN_RECORDING_SECONDS and (
                    wanted is None or voice.id in wanted
                ):
                    yield voice

    def _check_room(self, seconds: float) -> None:
        needed, free = seconds * self.cache.bytes_per_second(), free_bytes(self.cache.folder)
        if needed > free:
            raise DataError(
                f"The features of {seconds / 60:.0f} minutes of speech need "
                f"{needed / 1e9:.1f} GB below {self.cache.folder.parent}, "
                f"where {free / 1e9:.1f} GB are free."
            )

    def _segments(
        self, part: str, clean_share: float, shares: Sequence[float] = ()
    ) -> SegmentDataset:
        _, stride = front_end_shape(self.cache.config.front_end, self.cache.config.audio)
        corpora = (self._corpus(path, part) for path in self.manifests[part])
        lengths = self.frames, self.reference_frames
        return SegmentDataset(corpora, self.cache, stride, *lengths, self.seed, clean_share, shares)


class _TimedLoader(DataLoader):
    """Measures how long its batches are waited for."""

    started = waited = 0.0

    def __iter__(self) -> Any:
        self.started = before = time.perf_counter()
        for batch in super().__iter__():
            self.waited += time.perf_counter() - before
            yield batch
            before = time.perf_counter()

    @property
    def waiting_share(self) -> float:
        return self.waited / (time.perf_counter() - self.started)


class _ResumableSampler:
    """Batches of consecutive indices from the data module's position on."""

    def __init__(self, data: SpeechData):
        self.data = data

    def __iter__(self):
        position = self.data.position
        while True:
            yield self.data.indices(position)
            position += 1

    def __len__(self) -> int:
        return 1 << 30
