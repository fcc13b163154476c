"""Building blocks shared by the networks.

Sequences are (batch, channels, frames). A mask is (batch, 1, frames), one inside an item and zero
in its padding, or None when nothing is padded. Every layer that looks beside a frame sees zeros in
the padding, so an item in a padded batch comes out as it would alone.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from voiceswap.precision import FastLinear


def length_mask(lengths: Tensor, frames: int) -> Tensor:
    """Mask (batch, 1, frames) of items that are `lengths` (batch,) frames long."""
    return (torch.arange(frames, device=lengths.device) < lengths[:, None])[:, None].float()


def masked(x: Tensor, mask: Tensor | None) -> Tensor:
    """`x` with its padding set to zero."""
    return x if mask is None else x * mask


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean over channels and the frames where the mask is one.

    `values` are (batch, channels, frames), `mask` is (batch, 1, frames).
    """
    return (values * mask).sum() / (mask.sum() * values.shape[1]).clamp(min=1)


def moments(x: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation over frames, (batch, channels, 1) each."""
    x = x.float()
    if mask is None:
        mask = torch.ones_like(x[:, :1])
    count = mask.sum(-1, keepdim=True).clamp(min=1)
    mean = (x * mask).sum(-1, keepdim=True) / count
    variance = ((x - mean).square() * mask).sum(-1, keepdim=True) / count
    return mean, (variance + 1e-5).sqrt()


def instance_norm(
    x: Tensor, mask: Tensor | None = None, statistics: tuple[Tensor, Tensor] | None = None
) -> Tensor:
    """Remove the mean and deviation over time of every channel (Ulyanov et al., 2016). No affine.

    `statistics` are the mean and deviation of a longer recording that `x` is a window of; without
    them, those of `x` itself.
    """
    mean, deviation = statistics or moments(x, mask)
    return masked((x - mean) / deviation, mask)


class RunningMoments:
    """`moments` of a recording that is given window by window."""

    def __init__(self) -> None:
        self.count = 0
        self.total = self.squares = torch.zeros((), dtype=torch.float64)

    def add(self, x: Tensor) -> None:
        """Add the frames of `x` (channels, frames)."""
        x = x.cpu().double()  # not every device has double precision
        self.add_sums(x.shape[-1], x.sum(-1, keepdim=True), x.square().sum(-1, keepdim=True))

    def add_sums(self, frames: int, total: Tensor, squares: Tensor) -> None:
        """Add the sums of so many frames and of their squares, (channels, 1) each."""
        self.count += frames
        self.total, self.squares = self.total + total, self.squares + squares

    def weigh(self, frames: int) -> None:
        """Count as if it were of so many frames."""
        share = frames / self.count
        self.count, self.total, self.squares = frames, self.total * share, self.squares * share

    def result(self) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation, (channels, 1) each."""
        mean = self.total / self.count
        variance = (self.squares / self.count - mean.square()).clamp(min=0)
        return mean.float(), (variance + 1e-5).sqrt().float()


def channels_last(x: Tensor) -> Tensor:
    """`x` with the channels of a frame beside one another in memory, where that is quicker.

    That is for inference on a CPU: depthwise convolutions and norms over channels take a tenth of
    the time for it.
    """
    return x if x.device.type != "cpu" or torch.is_grad_enabled() else x.mT.contiguous().mT


class ConvNeXtBlock(nn.Module):
    """Depthwise convolution, layer norm, inverted bottleneck, residual, in one dimension.

    From Liu et al., "A ConvNet for the 2020s" (2022).

    With `condition`, the norm's scale and shift are read from a condition vector (batch,
    condition). That is AdaIN (Huang and Belongie, 2017) with the statistics taken over channels
    instead of time, so that the output at a frame depends on its neighbourhood alone, however long
    the recording.

    The bottleneck takes most of the decoder's and the vocoder's time, so its products can be in
    16 bits. What goes on from block to block stays in 32.
    """

    def __init__(
        self, width: int, kernel: int = 7, expansion: int = 3, condition: int | None = None
    ):
        super().__init__()
        self.depthwise = nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=width)
        self.norm = nn.LayerNorm(width, elementwise_affine=condition is None)
        self.style = nn.Linear(condition, 2 * width) if condition else None
        self.expand = FastLinear(width, expansion * width)
        self.project = FastLinear(expansion * width, width)
        self.scale = nn.Parameter(torch.full((width,), 0.1))

    def forward(
        self, x: Tensor, mask: Tensor | None = None, condition: Tensor | None = None
    ) -> Tensor:
        x = channels_last(x)
        h = self.norm(self._depthwise(masked(x, mask)).transpose(1, 2))
        if self.style is not None:
            gain, bias = self.style(condition)[:, None].chunk(2, -1)
            h = h * (1 + gain) + bias
        h = self.project(F.gelu(self.expand(h)))
        return x + (h.to(x.dtype) * self.scale).transpose(1, 2)

    def _depthwise(self, x: Tensor) -> Tensor:
        """The convolution, in two dimensions: in one, PyTorch does not see how `x` is laid out."""
        layer = self.depthwise
        side, weight = int(layer.padding[0]), layer.weight[:, :, None]
        wide = F.conv2d(x[:, :, None], weight, layer.bias, padding=(0, side), groups=layer.groups)
        return wide[:, :, 0]
