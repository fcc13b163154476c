"""Front ends of the content encoder: a log-mel spectrogram, or a pretrained speech encoder.

A front end maps waveforms (batch, samples) with `lengths` (batch,) in samples to features (batch,
channels, frames); its frames are `stride` mel frames long. Front ends are never trained here and
are stored apart from trained weights.

A long recording is encoded in windows of `CORE` seconds on a fixed grid, with `CONTEXT` seconds
more on either side: `spectrum` of each window first, for the recording's peak, then `window` from
the spectrum.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from voiceswap.features import AudioConfig, LogMel, MelSpectrogram
from voiceswap.models.layers import length_mask, masked
from voiceswap.precision import FastConv1d, FastLinear

CORE, CONTEXT = 16.0, 2.0


def window_start(frame: int, frame_rate: float) -> int:
    """Where the window begins in whose core a mel frame is."""
    core, context = round(CORE * frame_rate), round(CONTEXT * frame_rate)
    return max(0, frame // core * core - context)


class MelFrontEnd(nn.Module):
    """The log-mel spectrogram itself: all that follows is learned from nothing."""

    stride = 1

    def __init__(self, config: AudioConfig):
        super().__init__()
        self.log_mel = LogMel(config)
        self.channels = self.bins = config.n_mels
        self.hop_length = config.hop_length

    def forward(self, samples: Tensor, lengths: Tensor) -> Tensor:
        mel = self.log_mel(samples)
        return mel * length_mask(-(-lengths // self.hop_length), mel.shape[-1])

    def spectrum(self, samples: Tensor) -> Tensor:
        """The log-mel of a window."""
        return self.log_mel(samples)

    def powers(self, samples: Tensor) -> Tensor:
        """The power spectrum (batch, bins, frames) that `of_powers` takes."""
        return self.log_mel.mel.magnitudes(samples).square()

    def of_powers(self, powers: Tensor) -> Tensor:
        """The log-mel of a power spectrum."""
        return self.log_mel.mel.mel_scale(powers.sqrt()).clamp(min=self.log_mel.floor).log()

    def window(
        self,
        spectrum: Tensor,
        mask: Tensor | None,
        peak: Tensor,
        position: Tensor | None = None,
    ) -> Tensor:
        """The log-mel as it is."""
        return masked(spectrum, mask)


class WhisperFrontEnd(nn.Module):
    """Encoder of Whisper (Radford et al., 2022), or its first `layers`.

    From 16 kHz speech to 50 features a second.

    Runs on the recording as it is instead of on 30 s of padding, in windows of 16 s on a fixed grid
    with 2 s of context on either side, so that memory is bounded and a frame's features do not
    depend on what is far away.
    """

    stride = 2
    sample_rate = 16000
    most_layers = 6  # that the base size has
    hop_length = 160  # samples a frame of Whisper's own log-mel; a feature frame is two
    channels, heads, bins = 512, 8, 80
    core, context = round(CORE * 50), round(CONTEXT * 50)  # feature frames

    def __init__(self, layers: int = most_layers):
        super().__init__()
        channels = self.channels
        self.mel = MelSpectrogram(
            self.sample_rate, 400, self.hop_length, self.bins, 0.0, 8000.0, power=2.0, slaney=True
        )
        self.conv1 = FastConv1d(self.bins, channels, 3, padding=1)
        self.conv2 = FastConv1d(channels, channels, 3, stride=2, padding=1)
        self.layers = nn.ModuleList(_TransformerLayer(channels, self.heads) for _ in range(layers))
        self.norm = nn.LayerNorm(channels)
        longest = self.core + 4 * self.context  # a training segment may go on beyond a window
        self.register_buffer("positions", sinusoids(longest, channels), persistent=False)
        self.positions: Tensor

    def forward(self, samples: Tensor, lengths: Tensor) -> Tensor:
        return self.encode(self.spectrum(samples), lengths)

    def spectrum(self, samples: Tensor) -> Tensor:
        """log10 mel powers (batch, mels, frames at 100 Hz)."""
        return self.of_powers(self.powers(samples))

    def powers(self, samples: Tensor) -> Tensor:
        """The power spectrum (batch, bins, frames at 100 Hz)."""
        return self.mel.magnitudes(samples)

    def of_powers(self, powers: Tensor) -> Tensor:
        """log10 mel powers of a power spectrum."""
        return self.mel.mel_scale(powers).clamp(min=1e-10).log10()

    def encode(self, spectrum: Tensor, lengths: Tensor) -> Tensor:
        """Features (batch, channels, frames at 50 Hz) of whole recordings' spectra.

        `lengths` (batch,) in samples. Padding comes out zero.
        """
        mask = length_mask(-(-lengths // self.hop_length), spectrum.shape[-1])
        peak = spectrum.masked_fill(mask == 0, -10.0).amax((1, 2))
        mel, mask = self._normalize(spectrum, mask, peak)
        frames = mel.shape[-1] // 2
        pieces = []
        for start in range(0, frames, self.core):
            left, right = (
                max(0, start - self.context),
                min(frames, start + self.core + self.context),
            )
            window = slice(2 * left, 2 * right)
            piece = self._window(mel[..., window], mask[..., window])
            pieces.append(piece[..., start - left : min(start + self.core, frames) - left])
        return torch.cat(pieces, -1)

    def window(
        self,
        spectrum: Tensor,
        mask: Tensor | None,
        peak: Tensor,
        position: Tensor | None = None,
    ) -> Tensor:
        """Features of windows, with their context, from recordings' `peak` (batch,).

        Whisper clips what is 80 dB below the recording's peak. `position` (batch,) is the feature
        frame that a window begins at, for its position encodings; zero where it is not given.
        """
        if mask is None:
            mask = spectrum.new_ones(len(spectrum), 1, spectrum.shape[-1])
        return self._window(*self._normalize(spectrum, mask, peak), position)

    def _normalize(self, spectrum: Tensor, mask: Tensor, peak: Tensor) -> tuple[Tensor, Tensor]:
        """The log-mel in Whisper's range, an even number of frames, and its mask."""
        mel = (torch.maximum(spectrum, peak[:, None, None] - 8.0) + 4.0) / 4.0 * mask
        odd = mel.shape[-1] % 2
        return F.pad(mel, (0, odd)), F.pad(mask, (0, odd))

    def _window(self, mel: Tensor, mask: Tensor, position: Tensor | None = None) -> Tensor:
        h = F.gelu(self.conv1(mel)) * mask
        h = F.gelu(self.conv2(h)).transpose(1, 2)
        at = torch.arange(h.shape[1], device=h.device)
        h = h + self.positions[at if position is None else at + position[:, None]]
        inside = mask[:, :, ::2]  # (batch, 1, frames)
        attend = inside.bool()[:, None]  # (batch, heads, queries, keys)
        # A window wholly in the padding attends to itself; it is masked below.
        attend = attend | ~attend.any(-1, keepdim=True)
        for layer in self.layers:
            h = layer(h, attend)
        return self.norm(h).transpose(1, 2) * inside


class _TransformerLayer(nn.Module):
    """Pre-norm self-attention and feed-forward."""

    def __init__(self, channels: int, heads: int):
        super().__init__()
        self.heads = heads
        self.attention_norm = nn.LayerNorm(channels)
        self.query_key_value = FastLinear(channels, 3 * channels)
        self.attention_out = FastLinear(channels, channels)
        self.feed_norm = nn.LayerNorm(channels)
        self.feed_in = FastLinear(channels, 4 * channels)
        self.feed_out = FastLinear(4 * channels, channels)

    def forward(self, x: Tensor, attend: Tensor) -> Tensor:
        batch, frames, channels = x.shape
        packed = self.query_key_value(self.attention_norm(x)).view(
            batch, frames, 3, self.heads, channels // self.heads
        )
        query, key, value = packed.permute(2, 0, 3, 1, 4)
        h = F.scaled_dot_product_attention(query, key, value, attn_mask=attend)
        x = x + self.attention_out(h.transpose(1, 2).reshape(batch, frames, channels))
        return x + self.feed_out(F.gelu(self.feed_in(self.feed_norm(x))))


def sinusoids(frames: int, channels: int) -> Tensor:
    """Position encodings (frames, channels): sines, then cosines.

    Wavelengths go from 2 pi to 20,000 pi frames.
    """
    rates = torch.exp(-math.log(10000.0) / (channels // 2 - 1) * torch.arange(channels // 2))
    angles = torch.arange(frames)[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], 1)
