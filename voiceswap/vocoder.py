"""The vocoder: log-mel spectrogram and F0 to waveform."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from voiceswap.decoder import MEL_MEAN, MEL_SPREAD
from voiceswap.features import F0_MIN, AudioConfig
from voiceswap.layers import ConvNeXtBlock, masked

NOISE_SAMPLES = 1 << 18


class SourceFilterVocoder(nn.Module):
    """A pulse train at F0 and white noise, each through time-varying filters that a network reads from mel and F0.

    The filters are complex gains on the sources' short-time spectra, turned into a waveform by an inverse STFT: the
    source-filter model of speech, as in neural source-filter (Wang et al., 2019) and harmonic-plus-noise (Engel et
    al., "DDSP", 2020) synthesis, with the ConvNeXt body and inverse-STFT head of Vocos (Siuzdak, 2023). Pitch needs
    no learning, so it holds for voices never heard.
    """

    def __init__(self, config: AudioConfig, width: int = 256, blocks: int = 6):
        super().__init__()
        self.config = config
        self.architecture = {"width": width, "blocks": blocks}
        self.input = nn.Conv1d(config.n_mels + 2, width, 7, padding=3)
        self.blocks = nn.ModuleList(ConvNeXtBlock(width) for _ in range(blocks))
        self.norm = nn.LayerNorm(width)
        self.output = nn.Linear(width, 3 * (config.n_fft // 2 + 1))
        nn.init.normal_(self.output.weight, std=1e-2)
        nn.init.zeros_(self.output.bias)
        self.register_buffer("window", torch.hann_window(config.n_fft), persistent=False)
        noise = torch.randn(NOISE_SAMPLES, generator=torch.Generator().manual_seed(0))
        self.register_buffer("noise", noise, persistent=False)
        self.window: Tensor
        self.noise: Tensor

    def forward(self, mel: Tensor, f0: Tensor, mask: Tensor | None = None) -> Tensor:
        """Log-mel (batch, mels, frames) and F0 in Hz (batch, frames; 0 unvoiced) to (batch, frames * hop) samples.

        In evaluation the noise is always the same, so the output is; in training it is drawn anew.
        """
        voiced = (f0 > 0).float()
        log_f0 = (f0.clamp(min=F0_MIN).log() - 5.0) * voiced
        h = self.input(masked(torch.cat([(mel - MEL_MEAN) / MEL_SPREAD, log_f0[:, None], voiced[:, None]], 1), mask))
        for block in self.blocks:
            h = block(h, mask)
        filters = self.output(self.norm(h.transpose(1, 2))).transpose(1, 2).float()
        log_gain, phase, log_noise_gain = filters.chunk(3, 1)
        frames = mel.shape[-1]
        spectrum = self._spectrum(self.pulses(f0), frames) * torch.polar(log_gain.clamp(-12, 5).exp(), phase)
        noise = self._noise(f0)
        if mask is not None:
            noise = noise * mask[:, 0].repeat_interleave(self.config.hop_length, -1)
        spectrum = spectrum + self._spectrum(noise, frames) * log_noise_gain.clamp(-12, 5).exp()
        return self._waveform(masked(spectrum, mask), frames)

    def pulses(self, f0: Tensor) -> Tensor:
        """One band-limited unit pulse a period, (batch, frames * hop) samples; zero where unvoiced."""
        rate, hop = self.config.sample_rate, self.config.hop_length
        samples = f0.shape[-1] * hop
        voiced = f0 > 0
        held = _hold(f0)
        ahead = torch.cat([held[:, 1:], held[:, -1:]], 1)
        part = torch.arange(hop, device=f0.device) / hop
        fine = (held[..., None] * (1 - part) + ahead[..., None] * part).reshape(-1, samples)
        on = voiced.repeat_interleave(hop, -1)
        exact = torch.float32 if f0.device.type == "mps" else torch.float64
        turns = torch.cumsum(torch.where(on, fine, 0.0).to(exact) / rate, -1)
        distance = (turns - turns.round()).float()  # to the nearest pulse, in periods
        return torch.sinc(distance * rate / fine) * on * (rate / fine).sqrt()  # equal power at any pitch

    def _noise(self, f0: Tensor) -> Tensor:
        batch, frames = f0.shape
        samples = frames * self.config.hop_length
        if self.training:
            return torch.randn(batch, samples, device=f0.device)
        repeats = math.ceil(samples / NOISE_SAMPLES)
        return self.noise.repeat(repeats)[:samples].expand(batch, -1)

    def _spectrum(self, x: Tensor, frames: int) -> Tensor:
        n_fft, hop = self.config.n_fft, self.config.hop_length
        padded = F.pad(x, (n_fft // 2, n_fft // 2))
        return torch.stft(padded, n_fft, hop, window=self.window, center=False, return_complex=True)[..., :frames] / math.sqrt(n_fft)

    def _waveform(self, spectrum: Tensor, frames: int) -> Tensor:
        n_fft, hop = self.config.n_fft, self.config.hop_length
        silent = n_fft // 2 // hop + 1  # frames after the last that reach into the output, as in a padded batch
        spectrum = F.pad(spectrum, (0, silent)) * math.sqrt(n_fft)
        return torch.istft(spectrum, n_fft, hop, window=self.window, length=frames * hop)


def _hold(f0: Tensor) -> Tensor:
    """F0 (batch, frames) with each unvoiced frame given the F0 of the voiced frame before it, the first from 150 Hz on."""
    index = torch.arange(f0.shape[-1], device=f0.device).expand_as(f0)
    last = torch.where(f0 > 0, index, -1).cummax(-1).values
    return torch.where(last >= 0, f0.gather(-1, last.clamp(min=0)), 150.0)


@torch.inference_mode()
def griffin_lim(log_mel: Tensor, mel_bank: Tensor, config: AudioConfig, iterations: int = 60) -> Tensor:
    """Waveform (batch, frames * hop) of log-mels without a vocoder (Griffin and Lim, 1984): intelligible, not natural.

    `mel_bank` is the (mels, bins) filter bank of `features.LogMel`. Deterministic: the first phase is zero.
    """
    frames = log_mel.shape[-1]
    magnitude = (torch.linalg.pinv(mel_bank) @ log_mel.exp()).clamp(min=0)
    window = torch.hann_window(config.n_fft, device=log_mel.device)
    n_fft, hop, length = config.n_fft, config.hop_length, frames * config.hop_length
    spectrum, previous = magnitude.to(torch.complex64), torch.zeros_like(magnitude, dtype=torch.complex64)
    for _ in range(iterations):  # with momentum (Perraudin et al., 2013)
        wave = torch.istft(F.pad(spectrum, (0, 1)), n_fft, hop, window=window, length=length)
        rebuilt = torch.stft(wave, n_fft, hop, window=window, return_complex=True, pad_mode="constant")[..., :frames]
        momentum = rebuilt + 0.99 * (rebuilt - previous)
        spectrum, previous = torch.polar(magnitude, momentum.angle()), rebuilt
    return torch.istft(F.pad(spectrum, (0, 1)), n_fft, hop, window=window, length=length)
