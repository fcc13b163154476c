"""Draws from the content posterior that do not depend on how a recording is cut."""

import torch
from torch import Tensor

from voiceswap.conversion.recording import Window
from voiceswap.transfer import to_device


def draw_content(
    content: Tensor, log_variance: Tensor, seed: int, window: Window, stride: int
) -> None:
    """Make the posterior's mean in a window a draw; changes `content` (code, frames) itself.

    `log_variance` is as large; `stride` is how many mel frames make a content frame.
    """
    first, last = window.left // stride, -(-window.right // stride)
    noise = to_device(noise_at(seed, first, last, len(content)), content.device)
    content[:, : last - first] += (0.5 * log_variance[:, : last - first]).exp() * noise


def noise_at(seed: int, first: int, last: int, channels: int) -> Tensor:
    """Unit noise (channels, last - first) that depends on seed and position alone.

    So windows agree where they overlap.
    """
    block = 1024
    start, stop = first // block, -(-last // block)
    # 2**20 generator seeds for the blocks of each seed; a large seed's top bits are folded back in.
    first_seed = (seed << 20) + (seed >> 43)
    drawn = [
        torch.randn(
            channels, block, generator=torch.Generator().manual_seed((first_seed + i) % 2**63)
        )
        for i in range(start, stop)
    ]
    return torch.cat(drawn, 1)[:, first - start * block : last - start * block]
