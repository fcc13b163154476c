"""SegmentDataset of speech for training, drawn evenly over speakers or by shares of corpora, and the Lightning data module that serves them."""

import hashlib
import logging
import os
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from lhotse.cut import Cut
from lhotse.utils import fastcopy
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from voiceswap.audio import MIN_SECONDS
from voiceswap.errors import DataError
from voiceswap.features import AudioConfig, log_f0_statistics
from voiceswap.models.pretrained import front_end_shape
from voiceswap.models.speaker_verifier import SpeakerVerifier
from voiceswap.training.cache import CacheConfig, FeatureCache
from voiceswap.training.corpora import licences, read_cuts

logger = logging.getLogger(__name__)
Item = dict[str, Tensor]
LOWEST_RATE = 0.8  # of the audio contract's: a recording at less lacks too much of what the mel spectrogram shows


class SegmentDataset(Dataset[Item]):
    """Random segments of speech, each with another segment of the same voice as its reference.

    Item `i` depends on `seed` and `i` alone, so the position in the training data is one number. A speaker is drawn
    first, then one of its cuts: all speakers alike, or with `shares`, one for each of `corpora`, all speakers of a corpus
    alike. Tensors of an item (frames: `frames`; reference: `reference_frames`):
    `content` (channels, frames / stride), `mel` (mels, frames), `f0` (frames,), `f0_statistics` (2,), `samples`
    (frames * hop,), `verifier` (256,), `length` (), and `reference_mel`, `reference_verifier`, `reference_length`.
    """

    def __init__(
        self,
        corpora: Iterable[Iterable[Cut]],
        cache: FeatureCache,
        stride: int,
        frames: int,
        reference_frames: int,
        seed: int,
        clean_share: float,
        shares: Sequence[float] = (),
    ):
        self.cache, self.stride, self.seed, self.clean_share = cache, stride, seed, clean_share
        self.frames, self.reference_frames = frames, reference_frames
        by_speaker: dict[str, list[tuple[str, float]]] = defaultdict(list)
        corpus_of: dict[str, int] = {}
        for corpus, cuts in enumerate(corpora):
            for cut in cuts:
                if cache.path(cut.id).exists():
                    speaker = cut.supervisions[0].speaker
                    by_speaker[speaker].append((cut.id, cut.duration))
                    corpus_of.setdefault(speaker, corpus)
        rate = cache.config.audio.frame_rate
        alone = (frames + reference_frames) / rate  # a single recording must hold both segments
        usable = [
            speaker
            for speaker, found in sorted(by_speaker.items())
            if (len(found) > 1 or found[0][1] >= alone)
            and (not shares or shares[corpus_of[speaker]])
        ]
        self.speakers = [sorted(cut_id for cut_id, _ in by_speaker[speaker]) for speaker in usable]
        if not self.speakers:
            raise DataError(
                f"No speaker has enough speech to train on: two recordings, or one of {alone:.1f} s."
            )
        self.odds = None
        if shares:
            sizes = Counter(corpus_of[speaker] for speaker in usable)
            weights = np.array(
                [shares[corpus_of[speaker]] / sizes[corpus_of[speaker]] for speaker in usable]
            )
            self.odds = weights / weights.sum()

    def __len__(self) -> int:
        return 1 << 40  # endless

    def drawn(self, index: int) -> tuple[int, str, np.random.Generator]:
        """The speaker (a place in `speakers`) and the cut of an item, and the generator that the rest of it is drawn from."""
        rng = np.random.default_rng((self.seed, index))
        speaker = int(
            rng.integers(len(self.speakers))
            if self.odds is None
            else rng.choice(len(self.speakers), p=self.odds)
        )
        cuts = self.speakers[speaker]
        return speaker, cuts[rng.integers(len(cuts))], rng

    def __getitem__(self, index: int) -> Item:
        speaker, cut, rng = self.drawn(index)
        cuts = self.speakers[speaker]
        with self.cache.open(cut) as file:
            total = file.get_slice("mel").get_shape()[1]
            start = int(rng.integers(max(total - self.frames, 0) // self.stride + 1)) * self.stride
            item = self._segment(file, start, rng)
            before, after = (0, start), (start + self.frames, total)
            side = max(before, after, key=lambda side: side[1] - side[0])
            here = side[1] - side[0] >= self.reference_frames
            if len(cuts) == 1 or (here and rng.random() < 0.3):
                return item | self._reference(file, *side, rng)
        other = rng.choice([name for name in cuts if name != cut])
        with self.cache.open(other) as file:
            return item | self._reference(file, 0, file.get_slice("mel").get_shape()[1], rng)

    def _segment(self, file, start: int, rng: np.random.Generator) -> Item:
        audio = self.cache.config.audio
        mel, content, f0 = file.get_slice("mel"), file.get_slice("content"), file.get_tensor("f0")
        stop = min(start + self.frames, mel.get_shape()[1])
        view = 0 if rng.random() < self.clean_share else int(rng.integers(content.get_shape()[0]))
        samples = (
            file.get_slice("samples")[start * audio.hop_length : stop * audio.hop_length].float()
            / 32767
        )
        features = content[view, :, start // self.stride : -(-stop // self.stride)].float()
        return {
            "content": _pad(features, self.frames // self.stride),
            "mel": _pad(mel[:, start:stop].float(), self.frames),
            "f0": _pad(f0[start:stop], self.frames),
            "f0_statistics": torch.tensor(log_f0_statistics(f0.numpy())),
            "samples": _pad(samples, self.frames * audio.hop_length),
            "verifier": self._verifier(file, start, stop),
            "length": torch.tensor(stop - start),
        }

    def _reference(self, file, first: int, last: int, rng: np.random.Generator) -> Item:
        length = min(self.reference_frames, last - first)
        start = first + int(rng.integers(last - first - length + 1))
        mel = file.get_slice("mel")[:, start : start + length].float()
        return {
            "reference_mel": _pad(mel, self.reference_frames),
            "reference_verifier": self._verifier(file, start, start + length),
            "reference_length": torch.tensor(length),
        }

    def _verifier(self, file, start: int, stop: int) -> Tensor:
        """The verifier's vector of the windows inside a segment, or of the one window nearest to it."""
        windows = file.get_tensor("verifier").float()
        scale = (
            100 / self.cache.config.audio.frame_rate
        )  # the verifier's frames are 10 ms long, whatever the mel's are
        start, stop = round(start * scale), round(stop * scale)
        first = -(-start // SpeakerVerifier.step)
        count = max(
            1,
            (stop - first * SpeakerVerifier.step - SpeakerVerifier.window) // SpeakerVerifier.step
            + 1,
        )
        first = min(first, len(windows) - 1)
        return torch.nn.functional.normalize(windows[first : first + count].mean(0), dim=0)


def _pad(x: Tensor, size: int) -> Tensor:
    return torch.nn.functional.pad(x, (0, size - x.shape[-1]))


class SpeechData(lightning.LightningDataModule):
    """SegmentDataset from cut manifests, with features cached below `cache_dir`.

    `train` and `validation` are manifests written by data_prep, or folders of shards that `lhotse shar export` makes of
    them. Only features are read while training, from disk, so the speech may be bigger than memory. Without validation
    cuts nothing is validated. Each of several processes gets `batch_size` items a step.

    `seconds` and `reference_seconds` are the lengths of a segment and of its reference; `clean_share` is the share of
    segments whose content is heard unperturbed. With `speeds`, every training voice is also heard at one of these
    speeds, as another voice (`virtual_voices`). Speakers are drawn all alike, or with `shares` each manifest of `train` gives
    that share of the segments: a language with few speakers is heard more often so.
    """

    def __init__(
        self,
        train: list[Path],
        validation: list[Path],
        cache_dir: Path,
        audio: AudioConfig,
        front_end: str = "whisper-base",
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
        if shares and (len(shares) != len(train) or min(shares) < 0 or not sum(shares)):
            raise DataError(
                f"data.shares needs a share for each manifest of data.train, {len(train)} here, none below 0 and not all 0."
            )
        self.cache = FeatureCache(cache_dir, CacheConfig(audio, front_end, views))
        self.manifests = {"train": train, "validation": validation}
        self.batch_size, self.validation_batches, self.workers, self.jobs = (
            batch_size,
            validation_batches,
            workers,
            jobs,
        )
        self.frames = round(seconds * audio.frame_rate / 2) * 2
        self.reference_frames = round(reference_seconds * audio.frame_rate)
        self.clean_share, self.speeds, self.shares, self.seed = clean_share, speeds, shares, seed
        self.position = 0  # batches served

    def prepare_data(self) -> None:
        """Build what the cache lacks. Raises DataError when manifests, sample rates or the room on disk forbid it."""
        for part in self.manifests:
            missing, seconds, low, rate = set(), 0.0, 0, self.cache.config.audio.sample_rate
            for cut in self._cuts(part):
                low += cut.sampling_rate < LOWEST_RATE * rate
                if not self.cache.path(cut.id).exists():
                    missing.add(cut.id)
                    seconds += cut.duration
            if low:
                raise DataError(
                    f"{low} recordings for {part} have a sample rate far below the {rate} Hz of data.audio, so the highs that it "
                    f"describes are not in them; lower data.audio.sample_rate, or prepare them with --min-rate {rate}."
                )
            self._check_room(seconds)
            for cut, reason in (
                self.cache.build(self._cuts(part, missing), self.jobs, len(missing)).items()
                if missing
                else ()
            ):
                logger.warning("Left out %s: %s", cut, reason)

    def train_dataloader(self) -> DataLoader:
        """Endless batches, from the position of the last checkpoint on."""
        self.training = self._segments("train", self.clean_share, self.shares)
        return DataLoader(
            self.training, batch_sampler=_ResumableSampler(self), num_workers=self.workers
        )

    def val_dataloader(self) -> DataLoader | list:
        """The same few batches of unheard speakers every time, content unperturbed."""
        if not any(True for _ in self._cuts("validation")):
            return []
        self.validating = self._segments("validation", 1.0)
        dataset = torch.utils.data.Subset(
            self.validating, range(self.validation_batches * self.batch_size)
        )
        return DataLoader(dataset, self.batch_size, num_workers=0)

    def indices(self, position: int) -> range:
        """The items of the batch at `position`: those of all processes all_gather follow on from the batch before."""
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

        A step's randomness depends on its position alone, so a run that was stopped and resumed draws the same.
        """
        if self.trainer and self.trainer.training:
            torch.manual_seed((self.seed << 32) + self.position)
            self.position += 1
        return batch

    def state_dict(self) -> dict[str, Any]:
        """The position, for exact resume, and what the data are, for the model card."""
        return {"position": self.position, "data": licences(self.manifests["train"])}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a checkpoint's position."""
        self.position = state_dict["position"]

    def _cuts(self, part: str, wanted: set[str] | None = None) -> Iterator[Cut]:
        """Cuts of a part; with `wanted`, those alone, and with their recordings where these are in shards."""
        return chain.from_iterable(
            self._corpus(path, part, wanted) for path in self.manifests[part]
        )

    def _corpus(self, path: Path, part: str, wanted: set[str] | None = None) -> Iterator[Cut]:
        for cut in read_cuts(path, audio=wanted is not None):
            for voice in [
                cut,
                *(virtual_voices([cut], self.speeds) if part == "train" and self.speeds else ()),
            ]:
                if voice.duration >= MIN_SECONDS and (wanted is None or voice.id in wanted):
                    yield voice

    def _check_room(self, seconds: float) -> None:
        folder = next(
            folder
            for folder in [self.cache.folder, *self.cache.folder.absolute().parents]
            if folder.exists()
        )
        needed, free = seconds * self.cache.bytes_per_second(), shutil.disk_usage(folder).free
        if needed > free:
            raise DataError(
                f"The features of {seconds / 60:.0f} minutes of speech need {needed / 1e9:.1f} GB below {self.cache.folder.parent}, "
                f"where {free / 1e9:.1f} GB are free."
            )

    def _segments(
        self, part: str, clean_share: float, shares: Sequence[float] = ()
    ) -> SegmentDataset:
        _, stride = front_end_shape(self.cache.config.front_end, self.cache.config.audio)
        corpora = (self._corpus(path, part) for path in self.manifests[part])
        return SegmentDataset(
            corpora,
            self.cache,
            stride,
            self.frames,
            self.reference_frames,
            self.seed,
            clean_share,
            shares,
        )


def virtual_voices(cuts: Sequence[Cut], speeds: Sequence[float]) -> list[Cut]:
    """The cuts played faster or slower, pitch and formants moving alike: for each voice one other, at one of `speeds`.

    What speaker verification gains voices by (Yamamoto et al., "Speaker augmentation and bandwidth extension for
    deep speaker embedding", 2019).
    A voice's name decides its speed, so all its cuts get the same one.
    """

    def other(cut: Cut) -> Cut:
        speaker = cut.supervisions[0].speaker
        speed = speeds[
            int.from_bytes(hashlib.sha256(speaker.encode()).digest()[:8], "big") % len(speeds)
        ]
        return cut.perturb_speed(speed).map_supervisions(
            lambda voice: fastcopy(voice, speaker=f"{speaker} at {speed}")
        )

    return [other(cut) for cut in cuts]


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
