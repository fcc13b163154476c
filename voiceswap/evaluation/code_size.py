"""Reconstruction against code size: the loss when a code keeps fewer channels."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from voiceswap.audio import read_audio
from voiceswap.conversion.swapper import VoiceSwapper
from voiceswap.dsp.level import set_level
from voiceswap.evaluation.intervals import bootstrap
from voiceswap.evaluation.pairs import speaker_of
from voiceswap.features import extract_f0, log_f0_statistics
from voiceswap.models.gaussian import DiagonalGaussian

CODES = ("content", "speaker")


@dataclass(frozen=True)
class _CodedRecording:
    """A recording and its posteriors."""

    speaker: str
    seconds: float
    codes: dict[str, DiagonalGaussian]  # content (1, code, frames / stride), speaker (1, code)
    f0: Tensor  # (1, frames), Hz
    log_f0: Tensor  # (1, 2)
    mel: Tensor  # (1, mels, frames)

    def kl(self, name: str) -> Tensor:
        """KL of each channel of a code over the whole recording in nats, (code,)."""
        kl = self.codes[name].kl()[0]
        return kl.reshape(len(kl), -1).sum(1)


@torch.inference_mode()
def reconstruction_against_code_size(
    swapper: VoiceSwapper, paths: Iterable[Path]
) -> dict[str, list[dict]]:
    """Rate and distortion of both codes when only 0, 1, 2, 4 ... of their channels are kept.

    The channels with the largest KL over all recordings are kept. The others are set to the prior's
    mean, and the other code keeps all of its channels. Codes are at their means, as in conversion.
    Rate against distortion shows channels that collapsed to the prior (Alemi et al., "Fixing a
    broken ELBO", 2018). The decoder was trained with all channels: a model that is trained with
    fewer would lose less.

    Args:
        swapper: the model.
        paths: recordings.

    Returns:
        For "content" and "speaker" a list of points: "channels" kept, their rate in
        "nats_per_second", and "l1", the mean absolute difference of log-mels in natural logs.
    """
    recordings = [_read(swapper, path) for path in paths]
    seconds = sum(recording.seconds for recording in recordings)
    report: dict[str, list[dict]] = {}
    for name in CODES:
        rate = torch.stack([recording.kl(name) for recording in recordings]).sum(0) / seconds
        best_first = rate.argsort(descending=True)
        report[name] = []
        for channels in _sizes(len(rate)):
            kept = torch.zeros_like(rate).index_fill(0, best_first[:channels], 1)
            l1 = bootstrap(
                [_l1(swapper, each, name, kept) for each in recordings],
                [[each.speaker] for each in recordings],
            )
            report[name].append(
                {
                    "channels": channels,
                    "nats_per_second": (rate * kept).sum().item(),
                    "l1": asdict(l1),
                }
            )
    return report


def _read(swapper: VoiceSwapper, path: Path) -> _CodedRecording:
    rate = swapper.engine.audio.sample_rate
    samples = set_level(read_audio(path, rate), rate)
    contour = extract_f0(samples, swapper.engine.audio)
    statistics = np.array(log_f0_statistics(contour), np.float32)
    wave, f0, log_f0 = (
        torch.from_numpy(array)[None].to(swapper.device) for array in (samples, contour, statistics)
    )
    codes = dict(zip(CODES, swapper.codes((samples, rate)), strict=True))
    return _CodedRecording(
        speaker_of(path), len(samples) / rate, codes, f0, log_f0, swapper.engine.log_mel(wave)
    )


def _l1(swapper: VoiceSwapper, recording: _CodedRecording, name: str, kept: Tensor) -> float:
    codes = {key: code.mode() for key, code in recording.codes.items()}
    codes[name] = codes[name] * kept.view(-1, *[1] * (codes[name].ndim - 2))
    rebuilt = swapper.engine.autoencoder.decode(
        codes["content"], recording.f0, recording.log_f0, codes["speaker"]
    )
    return (rebuilt - recording.mel).abs().mean().item()


def _sizes(channels: int) -> list[int]:
    """0, the powers of two below `channels`, and `channels`."""
    return [0, *(2**power for power in range((channels - 1).bit_length())), channels]
