"""What training knows of a recording: samples, log-mel, F0, and what pretrained networks encode.

The hash of this module's code, and of all that it imports, is a part of a cache's name.
"""

import sys
from dataclasses import dataclass

import numpy as np
import torch
from lhotse.cut import Cut

from voiceswap.audio import prepare_audio
from voiceswap.dsp.bandwidth import missing_highs
from voiceswap.dsp.level import set_level
from voiceswap.errors import AudioError
from voiceswap.features import AudioConfig, LogMel, extract_f0
from voiceswap.models import pretrained
from voiceswap.precision import has_fast_bfloat16
from voiceswap.results_log import code_hash, name_hash, short_hash
from voiceswap.training import perturb
from voiceswap.training.cut_audio import load_samples


@dataclass(frozen=True)
class CacheConfig:
    """What the features of a cut are.

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
        code = code_hash(sys.modules[__name__])
        settings = [self.audio.to_dict(), self.front_end, self.views, self.samples_rate, code]
        return short_hash(settings)[:12]


class FeatureExtractor:
    """Computes the features that `FeatureCache` keeps."""

    def __init__(self, config: CacheConfig):
        self.config, self.audio = config, config.audio
        self.front_end = pretrained.front_end(config.front_end, config.audio)
        self.verifier = pretrained.speaker_verifier()
        self.log_mel = LogMel(config.audio)

    @torch.inference_mode()
    def __call__(self, cut: Cut) -> dict[str, torch.Tensor]:
        """The features of a cut by name. Raises AudioError when it can't be used."""
        rate, recorded = self.audio.sample_rate, load_samples(cut)
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
        return tensors

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
