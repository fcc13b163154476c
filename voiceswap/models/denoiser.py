"""Speech enhancement: gains for every bin and frame of a spectrum, which leave the speech."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from voiceswap.dsp.spectra import istft, power, stft
from voiceswap.features import AudioConfig
from voiceswap.models.layers import ConvNeXtBlock

WINDOW_SECONDS, HOP_SECONDS = 0.032, 0.008  # of the Fourier transform
FLOOR = 1e-6  # of powers; speech at the normal level has about 1
NOISE_QUANTILE = 0.1  # of a bin's log-powers over time


class Denoiser(nn.Module):
    """A mask of the short-time Fourier transform (Wang and Chen, 2018), from the magnitudes.

    A gain is a sigmoid of the bin's own power above its quietest, by a slope and an offset that
    convolutions over time predict. So the network has one channel for several harmonics, and the
    mask still follows each of them.

    Args:
        audio: audio settings; waveforms have its rate.
        width: channels of the blocks.
        blocks: ConvNeXt blocks.
        kernel: frames that a block sees.
    """

    def __init__(self, audio: AudioConfig, width: int = 128, blocks: int = 4, kernel: int = 15):
        super().__init__()
        self.audio = audio
        self.architecture: dict[str, Any] = {"width": width, "blocks": blocks, "kernel": kernel}
        self.hop = round(HOP_SECONDS * audio.sample_rate)
        with torch.device("cpu"):  # on the meta device PyTorch imports its compiler for this
            window = torch.hann_window(round(WINDOW_SECONDS * audio.sample_rate / 2) * 2)
        self.register_buffer("window", window, persistent=False)
        self.window: Tensor
        bins = len(window) // 2 + 1
        self.above_noise = nn.Conv1d(bins, width, 3, padding=1)
        self.noise = nn.Linear(bins, width)
        self.blocks = nn.ModuleList(ConvNeXtBlock(width, kernel) for _ in range(blocks))
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, 2 * bins)

    def forward(self, samples: Tensor) -> Tensor:
        """Waveforms (batch, samples) at the normal level, without their noise and echoes."""
        spectrum = self.spectrum(samples)
        return self.waveform(spectrum * self.gains(spectrum), samples.shape[-1])

    def gains(self, spectrum: Tensor) -> Tensor:
        """Gains (batch, bins, frames) from 0 to 1 of spectra by `spectrum`."""
        level = (power(spectrum) + FLOOR).log()
        noise = level.quantile(NOISE_QUANTILE, -1, keepdim=True)
        above = level - noise
        h = self.above_noise(0.25 * above) + self.noise(0.1 * noise[..., 0])[..., None]
        for block in self.blocks:
            h = block(h)
        offset, slope = self.out(self.norm(h.mT)).mT.float().chunk(2, 1)
        return torch.sigmoid(offset + softplus(slope) * above)

    def spectrum(self, samples: Tensor) -> Tensor:
        """Complex spectra (batch, bins, frames) of waveforms (batch, samples)."""
        return stft(samples, self.window, self.hop)

    def waveform(self, spectrum: Tensor, length: int) -> Tensor:
        """Waveforms (batch, length) of spectra by `spectrum`."""
        return istft(spectrum, self.window, self.hop, length)
