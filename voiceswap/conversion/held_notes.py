"""Held notes of songs, where the target's voice sings a steady vowel.

The content posterior is as unsure of them as it is of laughter, since speech has none. To follow
the source's spectrum there, as in laughter, would keep the singer's timbre. Decoded as they are,
codes waver from frame to frame, and the note gets rough. A vowel that is held does not change, so
its codes are averaged over time.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from voiceswap.conversion.output_windows import OutputWindow
from voiceswap.models.layers import masked
from voiceswap.transfer import to_device

AVERAGED_FRAMES = 6  # content frames to either side, 0.12 s


def sung(items: Sequence[OutputWindow], f0: Tensor) -> Tensor:
    """Which frames are voiced and in a song, whose pitch is kept: (batch, 1, frames), as 0 and 1.

    `f0` is that of the windows, (batch, frames), Hz. What is unvoiced in a song is breath and
    consonants, as in speech.
    """
    songs = torch.tensor([item.conversion.options.exact_pitch for item in items])
    return (to_device(songs, f0.device)[:, None] & (f0 > 0))[:, None].float()


def average_content(
    content: Tensor, share: Tensor, stride: int, mask: Tensor | None = None
) -> Tensor:
    """Content codes averaged over time where notes are held.

    Args:
        content: content code (batch, code, frames / stride).
        share: how far to go from the code itself to the average, 0 to 1, (batch, 1, frames).
        stride: mel frames of a content frame.
        mask: (batch, 1, frames), or None where nothing is padded.

    Returns:
        As `content`.
    """

    def pooled(x: Tensor) -> Tensor:
        width = 2 * AVERAGED_FRAMES + 1
        return F.avg_pool1d(x, width, 1, AVERAGED_FRAMES, count_include_pad=False)

    inside = torch.ones_like(share) if mask is None else mask.to(share.dtype)
    share, inside = share[..., ::stride], inside[..., ::stride]
    average = pooled(masked(content, inside)) / pooled(inside).clamp(min=1e-3)
    return content.lerp(average.to(content.dtype), share.to(content.dtype))
