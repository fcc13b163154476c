"""Stretches of speech for training, drawn evenly over speakers, and the Lightning data module that serves them."""

import os
from collections import defaultdict
from pathlib import Path

import lightning
import numpy as np
import torch
from lhotse import CutSet
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from voiceswap.audio import MIN_SECONDS
from voiceswap.errors import DataError
from voiceswap.features import AudioConfig, log_f0_statistics
from voiceswap.frozen import front_end_shape
from voiceswap.training.cache import CacheConfig, FeatureCache
from voiceswap.verifier import SpeakerVerifier

Item = dict[str, Tensor]


class Stretches(Dataset[Item]):
    """Random stretches of speech, each with another stretch of the same voice as its reference.

    Item `i` depends on `seed` and `i` alone, so the position in the training data is one number. A speaker is drawn
    first, all alike, then one of its cuts. Tensors of an item (frames: `frames`; reference: `reference_frames`):
    `content` (channels, frames / stride), `mel` (mels, frames), `f0` (frames,), `f0_statistics` (2,), `samples`
    (frames * hop,), `verifier` (256,), `length` (), and `reference_mel`, `reference_verifier`, `reference_length`.
    """

    def __init__(self, cuts: CutSet, cache: FeatureCache, stride: int, frames: int, reference_frames: int, seed: int, clean_share: float):
        self.cache, self.stride, self.seed, self.clean_share = cache, stride, seed, clean_share
        self.frames, self.reference_frames = frames, reference_frames
        by_speaker = defaultdict(list)
        for cut in cuts:
            if cache.path(cut.id).exists():
                by_speaker[cut.supervisions[0].speaker].append(cut)
        rate = cache.config.audio.frame_rate
        alone = (frames + reference_frames) / rate  # a single recording must hold both stretches
        self.speakers = [
            [cut.id for cut in sorted(found, key=lambda cut: cut.id)]
            for _, found in sorted(by_speaker.items())
            if len(found) > 1 or found[0].duration >= alone
        ]
        if not self.speakers:
            raise DataError(f"No speaker has enough speech to train on: two recordings, or one of {alone:.1f} s.")

    def __len__(self) -> int:
        return 1 << 40  # endless

    def __getitem__(self, index: int) -> Item:
        rng = np.random.default_rng((self.seed, index))
        cuts = self.speakers[rng.integers(len(self.speakers))]
        cut = cuts[rng.integers(len(cuts))]
        with self.cache.open(cut) as file:
            total = file.get_slice("mel").get_shape()[1]
            start = int(rng.integers(max(total - self.frames, 0) // self.stride + 1)) * self.stride
            item = self._stretch(file, start, rng)
            before, after = (0, start), (start + self.frames, total)
            side = max(before, after, key=lambda side: side[1] - side[0])
            here = side[1] - side[0] >= self.reference_frames
            if len(cuts) == 1 or (here and rng.random() < 0.3):
                return item | self._reference(file, *side, rng)
        other = rng.choice([name for name in cuts if name != cut])
        with self.cache.open(other) as file:
            return item | self._reference(file, 0, file.get_slice("mel").get_shape()[1], rng)

    def _stretch(self, file, start: int, rng: np.random.Generator) -> Item:
        audio = self.cache.config.audio
        mel, content, f0 = file.get_slice("mel"), file.get_slice("content"), file.get_tensor("f0")
        stop = min(start + self.frames, mel.get_shape()[1])
        view = 0 if rng.random() < self.clean_share else int(rng.integers(content.get_shape()[0]))
        samples = file.get_slice("samples")[start * audio.hop_length : stop * audio.hop_length].float() / 32767
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
        """The verifier's vector of the windows inside a stretch, or of the one window nearest to it."""
        windows = file.get_tensor("verifier").float()
        first = -(-start // SpeakerVerifier.step)
        count = max(1, (stop - first * SpeakerVerifier.step - SpeakerVerifier.window) // SpeakerVerifier.step + 1)
        first = min(first, len(windows) - 1)
        return torch.nn.functional.normalize(windows[first : first + count].mean(0), dim=0)


def _pad(x: Tensor, size: int) -> Tensor:
    return torch.nn.functional.pad(x, (0, size - x.shape[-1]))


class SpeechData(lightning.LightningDataModule):
    """Stretches from cut manifests, with features cached below `cache_dir`.

    `train` and `validation` are manifests written by data_prep. `seconds` and `reference_seconds` are the lengths of
    a stretch and of its reference; `clean_share` is the share of stretches whose content is heard undisturbed.
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
        validation_batches: int = 4,
        workers: int = 0,
        jobs: int = os.cpu_count() or 1,
        seed: int = 0,
    ):
        super().__init__()
        self.cache = FeatureCache(cache_dir, CacheConfig(audio, front_end, views))
        self.manifests = {"train": train, "validation": validation}
        self.batch_size, self.validation_batches, self.workers, self.jobs = batch_size, validation_batches, workers, jobs
        self.frames = round(seconds * audio.frame_rate / 2) * 2
        self.reference_frames = round(reference_seconds * audio.frame_rate)
        self.clean_share, self.seed = clean_share, seed
        self.position = 0  # batches served

    def prepare_data(self) -> None:
        """Build what the cache lacks."""
        for part in self.manifests:
            for cut, reason in self.cache.build(self._cuts(part), self.jobs).items():
                print(f"Left out {cut}: {reason}")

    def train_dataloader(self) -> DataLoader:
        """Endless batches, from the position of the last checkpoint on."""
        return DataLoader(self._stretches("train", self.clean_share), batch_sampler=_From(self), num_workers=self.workers)

    def val_dataloader(self) -> DataLoader:
        """The same few batches of unheard speakers every time, content undisturbed."""
        dataset = torch.utils.data.Subset(self._stretches("validation", 1.0), range(self.validation_batches * self.batch_size))
        return DataLoader(dataset, self.batch_size, num_workers=0)

    def on_after_batch_transfer(self, batch: Item, dataloader_idx: int) -> Item:
        """Counts the batches that training has been given, and seeds what is drawn at this step.

        A step's randomness depends on its position alone, so a run that was stopped and resumed draws the same.
        """
        if self.trainer and self.trainer.training:
            torch.manual_seed((self.seed << 32) + self.position)
            self.position += 1
        return batch

    def state_dict(self) -> dict[str, int]:
        """The position, for exact resume."""
        return {"position": self.position}

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        """Go on from a checkpoint's position."""
        self.position = state_dict["position"]

    def _cuts(self, part: str) -> CutSet:
        found = []
        for path in self.manifests[part]:
            if not Path(path).exists():
                raise DataError(f"The manifest {path} does not exist; make it with python -m data_prep.")
            found += list(CutSet.from_file(path))
        return CutSet.from_cuts(cut for cut in found if cut.duration >= MIN_SECONDS)

    def _stretches(self, part: str, clean_share: float) -> Stretches:
        _, stride = front_end_shape(self.cache.config.front_end, self.cache.config.audio)
        return Stretches(self._cuts(part), self.cache, stride, self.frames, self.reference_frames, self.seed, clean_share)


class _From:
    """Batches of consecutive indices from the data module's position on."""

    def __init__(self, data: SpeechData):
        self.data = data

    def __iter__(self):
        position = self.data.position
        while True:
            yield range(position * self.data.batch_size, (position + 1) * self.data.batch_size)
            position += 1

    def __len__(self) -> int:
        return 1 << 30
