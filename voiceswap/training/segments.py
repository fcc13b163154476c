"""Segments of speech for training, drawn evenly over speakers or by shares of corpora."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from lhotse.cut import Cut
from safetensors import safe_open
from torch import Tensor
from torch.utils.data import Dataset

from voiceswap.errors import DataError
from voiceswap.features import log_f0_statistics
from voiceswap.models.front_ends import window_start
from voiceswap.models.speaker_verifier import SpeakerVerifier
from voiceswap.training.cache import FeatureCache

Item = dict[str, Tensor]
AROUND = 1.5  # seconds beside a segment that the front end sees, where it runs at every step


class SegmentDataset(Dataset[Item]):
    """Random segments of speech, each with another segment of the same voice as its reference.

    Item `i` depends on `seed` and `i` alone, so the position in the training data is one number. A
    speaker is drawn first, then one of its cuts: all speakers alike, or with `shares`, one for each
    of `corpora`, all speakers of a corpus alike. Tensors of an item (frames: `frames`; reference:
    `reference_frames`): `content` (channels, frames / stride), `mel` (mels, frames), `f0`
    (frames,), `f0_statistics` (2,), `samples` (frames * hop,), `verifier` (256,), `length` (), and
    `reference_mel`, `reference_verifier`, `reference_length`. Where the cache has no views, in
    place of `content`: `surrounded`, the samples with up to AROUND seconds more on either side, its
    `surrounded_length` in frames, the frame `surrounded_start` where the segment begins there, and
    the frame `surrounded_position` where all of it begins in the front end's window.
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
        self.files: dict[str, str] = {}  # by cut id
        by_speaker: dict[str, list[tuple[str, float]]] = defaultdict(list)
        corpus_of: dict[str, int] = {}
        for corpus, cuts in enumerate(corpora):
            for cut in cuts:
                if (path := cache.path(cut)).exists():
                    self.files[cut.id] = str(path)
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
                "No speaker has enough speech to train on: two recordings, or one of "
                f"{alone:.1f} s."
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
        """An item's speaker (an index of `speakers`) and cut, and the generator for the rest."""
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
        with self._open(cut) as file:
            total = file.get_slice("mel").get_shape()[1]
            start = int(rng.integers(max(total - self.frames, 0) // self.stride + 1)) * self.stride
            item = self._segment(file, start, rng)
            before, after = (0, start), (start + self.frames, total)
            side = max(before, after, key=lambda side: side[1] - side[0])
            here = side[1] - side[0] >= self.reference_frames
            if len(cuts) == 1 or (here and rng.random() < 0.3):
                return item | self._reference(file, *side, rng)
        other = rng.choice([name for name in cuts if name != cut])
        with self._open(other) as file:
            return item | self._reference(file, 0, file.get_slice("mel").get_shape()[1], rng)

    def _open(self, cut: str):
        """The features of a cut, for reading whole tensors or slices of them."""
        return safe_open(self.files[cut], "pt")

    def _segment(self, file, start: int, rng: np.random.Generator) -> Item:
        config = self.cache.config
        hop = config.audio.at_rate(config.samples_rate).hop_length
        mel, f0 = file.get_slice("mel"), file.get_tensor("f0")
        stop = min(start + self.frames, mel.get_shape()[1])
        samples = file.get_slice("samples")[start * hop : stop * hop].float() / 32767
        return self._content(file, start, stop, rng) | {
            "mel": _pad(mel[:, start:stop].float(), self.frames),
            "f0": _pad(f0[start:stop], self.frames),
            "f0_statistics": torch.tensor(log_f0_statistics(f0.numpy())),
            "samples": _pad(samples, self.frames * hop),
            "verifier": self._verifier(file, start, stop),
            "length": torch.tensor(stop - start),
        }

    def _content(self, file, start: int, stop: int, rng: np.random.Generator) -> Item:
        """The features of a view, or what the device makes them of."""
        config = self.cache.config
        if config.views:
            content = file.get_slice("content")
            clean = rng.random() < self.clean_share
            view = 0 if clean else int(rng.integers(content.get_shape()[0]))
            features = content[view, :, start // self.stride : -(-stop // self.stride)].float()
            return {"content": _pad(features, self.frames // self.stride)}
        rate, hop = config.audio.frame_rate, config.audio.hop_length
        around = round(AROUND * rate / 2) * 2
        samples = file.get_slice("samples")
        total = -(-samples.get_shape()[0] // hop)
        first, last = max(0, start - around), min(total, start + self.frames + around)
        wave = samples[first * hop : last * hop].float() / 32767
        return {
            "surrounded": _pad(wave, (self.frames + 2 * around) * hop),
            "surrounded_length": torch.tensor(last - first),
            "surrounded_start": torch.tensor(start - first),
            "surrounded_position": torch.tensor(max(0, first - window_start(start, rate))),
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
        """The verifier's vector of the windows inside a segment, or of the nearest window."""
        windows = file.get_tensor("verifier").float()
        scale = SpeakerVerifier.frame_rate / self.cache.config.audio.frame_rate
        start, stop = round(start * scale), round(stop * scale)
        step, window = SpeakerVerifier.step, SpeakerVerifier.window
        first = -(-start // step)
        count = max(1, (stop - first * step - window) // step + 1)
        first = min(first, len(windows) - 1)
        return torch.nn.functional.normalize(windows[first : first + count].mean(0), dim=0)


def _pad(x: Tensor, size: int) -> Tensor:
    return torch.nn.functional.pad(x, (0, size - x.shape[-1]))
