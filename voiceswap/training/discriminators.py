"""Discriminators of adversarial training.

Each returns scores and inner features, lists of tensors.
"""

from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from voiceswap.dsp.spectra import mirrored_stft

CHANNELS = 16  # of the first layers
PERIODS = (2, 3, 5, 7, 11)  # samples
FFT_SIZES, HIGH_FFT_SIZES = (512, 1024, 2048), (256, 512, 1024)


class _Discriminators(nn.Module):
    """Several discriminators of the same waveforms."""

    def __init__(self, *parts: nn.Module):
        super().__init__()
        self.parts = nn.ModuleList(parts)

    def forward(self, wave: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Scores and features of waveforms (batch, samples)."""
        scores, features = zip(*(part(wave) for part in self.parts), strict=True)
        return list(scores), [x for of_part in features for x in of_part]


class WaveDiscriminator(_Discriminators):
    """Multi-period and multi-resolution discriminators.

    From Kong et al., "HiFi-GAN" (2020), and Jang et al., "UnivNet" (2021).
    """

    def __init__(self) -> None:
        super().__init__(*map(_Period, PERIODS), *map(_Resolution, FFT_SIZES))


class HighBandDiscriminator(_Discriminators):
    """Multi-resolution discriminators of what lies above a frequency.

    `lowest` is that frequency as a share of half the sample rate.
    """

    def __init__(self, lowest: float):
        super().__init__(*(_Resolution(n_fft, lowest) for n_fft in HIGH_FFT_SIZES))


class _Period(nn.Module):
    """Sees the waveform folded into rows of `period` samples."""

    def __init__(self, period: int):
        super().__init__()
        self.period = period
        sizes = [1, CHANNELS, 2 * CHANNELS, 4 * CHANNELS, 8 * CHANNELS]
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(a, b, (5, 1), (3, 1), (2, 0))) for a, b in pairwise(sizes)
        )
        self.score = weight_norm(nn.Conv2d(sizes[-1], 1, (3, 1), padding=(1, 0)))

    def forward(self, wave: Tensor) -> tuple[Tensor, list[Tensor]]:
        wave = wave[:, : wave.shape[-1] // self.period * self.period]
        return _scores(self.layers, self.score, wave.view(len(wave), 1, -1, self.period))


class _Resolution(nn.Module):
    """Sees the log-magnitude spectrogram of one FFT size, from the share `lowest` of it on."""

    def __init__(self, n_fft: int, lowest: float = 0.0):
        super().__init__()
        self.n_fft, self.first_bin = n_fft, round(lowest * n_fft / 2)
        sizes = [1, CHANNELS, 2 * CHANNELS, 2 * CHANNELS, 4 * CHANNELS]
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(a, b, (7, 5), (2, 2), (3, 2))) for a, b in pairwise(sizes)
        )
        self.score = weight_norm(nn.Conv2d(sizes[-1], 1, 3, padding=1))

    def forward(self, wave: Tensor) -> tuple[Tensor, list[Tensor]]:
        spectrum = mirrored_stft(wave.float(), self.n_fft).abs()[:, self.first_bin :]
        return _scores(self.layers, self.score, (spectrum + 1e-4).log()[:, None] / 4 + 0.5)


def _scores(layers: nn.ModuleList, score: nn.Module, x: Tensor) -> tuple[Tensor, list[Tensor]]:
    features = []
    for layer in layers:
        x = F.leaky_relu(layer(x), 0.1)
        features.append(x)
    return score(x), features
