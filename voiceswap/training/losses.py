"""The losses, each one function."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from voiceswap.dsp.spectra import mirrored_stft
from voiceswap.features import AudioConfig, MelSpectrogram
from voiceswap.models.gaussian import DiagonalGaussian

FFT_SIZES = (256, 512, 1024, 2048)
BAND_FFT_SIZES = (128, 256, 512, 1024)


def kl_with_free_bits(
    q: DiagonalGaussian, mask: Tensor | None = None, free_nats: float = 0.0
) -> Tensor:
    """KL(q || N(0, I)) in nats a frame or a vector: summed over channels, averaged over the rest.

    A channel whose KL is below `free_nats` costs that much and no more, so that nothing pushes it
    to collapse (Kingma et al., "Improved variational inference with inverse autoregressive flow",
    2016).
    """
    kl = q.kl()
    if kl.ndim == 3:
        mask = torch.ones_like(kl[:, :1]) if mask is None else mask
        channels = (kl * mask).sum((0, 2)) / mask.sum().clamp(min=1)
    else:
        channels = kl.mean(0)
    return channels.clamp(min=free_nats).sum()


def info_nce(first: Tensor, second: Tensor, temperature: float = 0.1) -> Tensor:
    """InfoNCE (van den Oord et al., 2018) between two codes (batch, code) of each voice, both ways.

    Item i of `first` and item i of `second` are one voice and attract; all others repel, by cosine.
    """
    similarity = F.normalize(first, dim=-1) @ F.normalize(second, dim=-1).T / temperature
    target = torch.arange(len(first), device=first.device)
    return (F.cross_entropy(similarity, target) + F.cross_entropy(similarity.T, target)) / 2


def spectral_loss(output: Tensor, target: Tensor) -> Tensor:
    """Multi-resolution STFT loss of waveforms (batch, samples).

    Spectral convergence and log-magnitude L1 over FFT sizes from 256 to 2048, as in Yamamoto et
    al., "Parallel WaveGAN" (2020).
    """
    total = torch.zeros((), device=output.device)
    for size in FFT_SIZES:
        a, b = (mirrored_stft(x, size).abs() for x in (output, target))
        total = (
            total
            + F.l1_loss((a + 1e-4).log(), (b + 1e-4).log())
            + (a - b).norm() / b.norm().clamp(min=1e-3)
        )
    return total / len(FFT_SIZES)


class MelLoss(nn.Module):
    """L1 of log-mels of waveforms (batch, samples), mean over FFT sizes from 256 to 2048.

    From Kumar et al., "DAC" (2023).

    A mel bin pools many bins of the spectrum, so that noise, which no vocoder can foretell, drowns
    less of the envelope.
    """

    def __init__(self, config: AudioConfig):
        super().__init__()
        rate, low, high = config.sample_rate, config.f_min, config.f_max
        self.mels = nn.ModuleList(
            MelSpectrogram(rate, size, size // 4, min(80, size // 16), low, high)
            for size in FFT_SIZES
        )

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        errors = [
            F.l1_loss((mel(output) + 1e-4).log(), (mel(target) + 1e-4).log()) for mel in self.mels
        ]
        return torch.stack(errors).mean()


def envelope_loss(output: Tensor, target: Tensor, lowest: float) -> Tensor:
    """L1 of the log magnitude of bands above a frequency, of waveforms (batch, samples).

    The mean over FFT sizes from 128 to 1024, of single frames and of all of them together. What is
    compared is the power of overlapping bands that are a 24th of the spectrum wide: single bins of
    noise would teach a level that is too low, and so would single frames alone, since a mean
    logarithm is below the logarithm of the mean. `lowest` is the frequency as a share of half the
    sample rate.
    """
    total = torch.zeros((), device=output.device)
    for size in BAND_FFT_SIZES:
        width = max(1, round(size / 48))
        envelopes = []
        for wave in (output, target):
            spectrum = mirrored_stft(wave, size)[:, round(lowest * size / 2) :]
            power = spectrum.abs().square().transpose(1, 2)
            pooled = F.avg_pool1d(power, width, max(1, width // 2))
            pooled = torch.cat([pooled, pooled.mean(1, keepdim=True)], 1)
            envelopes.append((pooled + 1e-6).log() / 2)
        error = (envelopes[0] - envelopes[1]).abs()
        total = total + error[:, :-1].mean() + error[:, -1].mean()
    return total / len(BAND_FFT_SIZES)


def discriminator_loss(real: Sequence[Tensor], fake: Sequence[Tensor]) -> Tensor:
    """Hinge loss of discriminators' scores on real and generated speech (Lim and Ye, 2017)."""
    losses = [F.relu(1 - r).mean() + F.relu(1 + f).mean() for r, f in zip(real, fake, strict=True)]
    return torch.stack(losses).mean()


def generator_loss(fake: list[Tensor]) -> Tensor:
    """Hinge loss of the generator, from the discriminators' scores of its output."""
    return torch.stack([-f.mean() for f in fake]).mean()


def feature_matching_loss(real: list[Tensor], fake: list[Tensor]) -> Tensor:
    """L1 between the discriminators' inner features, relative to the real ones' size.

    From Kumar et al., "MelGAN" (2019).
    """
    losses = [
        F.l1_loss(f, r.detach()) / r.detach().abs().mean().clamp(min=1e-3)
        for r, f in zip(real, fake, strict=True)
    ]
    return torch.stack(losses).mean()
