"""What a vocoder adds above the frequencies of its mel spectrogram."""

import itertools

import torch
from torch import Tensor, nn

from voiceswap.models.layers import ConvNeXtBlock

CROSSOVER = 7000.0  # Hz; from here on the high band's filters are used
LOG_GAIN = -4.0  # of filters before training: highs are soft
EDGES = (8000.0, 9000.0, 10000.0, 11000.0, 12000.0)  # Hz, of the bands that a voice has gains for
HIGH_BANDS = len(EDGES) - 1
MIDDLES = [(low + high) / 2 for low, high in itertools.pairwise(EDGES)]
FADE_HZ = 500.0  # below the first band's middle, within which its gain fades
GAIN_POINTS = [MIDDLES[0] - FADE_HZ, *MIDDLES]  # Hz of gains, the first of which is zero
HIGHEST_GAIN = 1.6  # 14 dB


class HighBand(nn.Module):
    """The filters above the mel's frequencies, from what the vocoder's body makes of the mel."""

    def __init__(self, width: int, blocks: int, steps: int, bins: int):
        super().__init__()
        self.blocks = nn.ModuleList(ConvNeXtBlock(width) for _ in range(blocks))
        self.norm = nn.LayerNorm(width)
        self.output = filter_head(width, steps * 3 * bins)
        nn.init.constant_(self.output.bias.view(steps, 3, bins)[:, ::2], LOG_GAIN)

    def forward(self, h: Tensor, mask: Tensor | None = None) -> Tensor:
        """Filters (batch, frames, steps * 3 * bins) from features (batch, width, frames)."""
        for block in self.blocks:
            h = block(h, mask)
        return self.output(self.norm(h.transpose(1, 2)))


def filter_head(width: int, outputs: int) -> nn.Linear:
    """A linear layer that begins near zero."""
    head = nn.Linear(width, outputs)
    if not head.weight.is_meta:  # where PyTorch would import its compiler for it
        nn.init.normal_(head.weight, std=1e-2)
    nn.init.zeros_(head.bias)
    return head


def match_high_band(made: Tensor, natural: Tensor, speech: Tensor, frequencies: Tensor) -> Tensor:
    """Log-gains (batch, HIGH_BANDS) that give made highs the long-term level of natural ones.

    Args:
        made, natural: powers (batch, bins, frames).
        speech: (batch, 1, frames), bool: the frames that count. What is in the others is noise.
        frequencies: Hz of the bins, (bins,).
    """

    def mean(power: Tensor, frames: Tensor) -> Tensor:
        return (power * frames).sum(-1) / frames.sum(-1).clamp(min=1)

    noise = mean(natural, ~speech) * (~speech).any(-1)
    wanted, given = mean(natural, speech) - noise, mean(made, speech)
    gains = []
    for low, high in itertools.pairwise(EDGES):
        band = (frequencies >= low) & (frequencies < high)
        ratio = wanted[:, band].sum(-1).clamp(min=1e-12) / given[:, band].sum(-1).clamp(min=1e-12)
        gains.append(ratio.log() / 2)
    return torch.stack(gains, -1).clamp(-HIGHEST_GAIN, HIGHEST_GAIN)


def interpolate_gains(gains: Tensor, points: Tensor, frequencies: Tensor) -> Tensor:
    """Log-gains of bins (batch, bins), along lines between those of bands.

    Args:
        gains: log-gains (batch, HIGH_BANDS).
        points: GAIN_POINTS, on the gains' device.
        frequencies: Hz of the bins, (bins,).
    """
    values = torch.cat([torch.zeros_like(gains[:, :1]), gains], -1)
    above = torch.searchsorted(points, frequencies).clamp(1, HIGH_BANDS)
    share = ((frequencies - points[above - 1]) / (points[above] - points[above - 1])).clamp(0, 1)
    return values[:, above - 1] * (1 - share) + values[:, above] * share
