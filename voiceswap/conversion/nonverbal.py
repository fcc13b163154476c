"""Laughter, coughs and other sounds that are no words: they follow the source's spectrum.

A content code has no words for them, and a decoder would make some speech of it. The content
posterior shows where: its variance is larger there than in speech.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from voiceswap.conversion.mel_statistics import speech_frames

# Mean log-variance above what is usual for the model, from where the source's spectrum counts and
# from where it counts alone: for 6 and 0.2 % of frames with speech, 89 and 66 % of laughter.
FIRST, ALONE = 0.15, 0.35
SMOOTHING = 18  # mel frames to either side over which the log-variance of sound is averaged
SOUND = 0.25  # share of the frames averaged that sound; where fewer do, a pause is decoded


def follow_source(
    mel: Tensor,
    source: Tensor,
    share: Tensor,
    sums: tuple[Tensor, Tensor],
) -> Tensor:
    """Log-mels that are the source's where the content is unsure, with the target's timbre.

    Every bin of the source is moved by the mean difference of both where the content is sure.

    Args:
        mel: decoded log-mels (batch, mels, frames).
        source: log-mels of the source.
        share: of the source, 0 to 1; see `unsure`.
        sums: see `difference`.

    Returns:
        (batch, mels, frames).
    """
    total, weight = sums
    return mel + share * (source + total / weight - mel)


def difference(
    mel: Tensor, source: Tensor, share: Tensor, mask: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Sum of what `mel` is above `source` in speech that is sure, and of its weights.

    Returns:
        (batch, mels, 1) and (batch, 1, 1).
    """
    sure = speech_frames(source, mask)[:, None] * (1 - share + 1e-3)  # laughter alone counts, too
    return ((mel - source) * sure).sum(-1, keepdim=True), sure.sum(-1, keepdim=True)


def unsure(
    log_variance: Tensor, usual: float, source: Tensor, mask: Tensor | None = None
) -> Tensor:
    """How little content codes tell, 0 to 1.

    Args:
        log_variance: of the content posterior (batch, code, frames / stride).
        usual: its mean over speech; see `Checkpoint.content_log_variance`.
        source: log-mels (batch, mels, frames).
        mask: (batch, 1, frames), or None where nothing is padded.

    Returns:
        (batch, 1, frames).
    """
    frames = source.shape[-1]
    above = log_variance.float().mean(1, keepdim=True) - usual
    above = above.repeat_interleave(-(-frames // above.shape[-1]), -1)[..., :frames]
    inside = torch.ones_like(above) if mask is None else mask.to(above.dtype)
    sound = inside * speech_frames(source, mask)[:, None]
    window = torch.hann_window(2 * SMOOTHING + 3, device=above.device)[None, None, 1:-1]
    sums = [F.conv1d(x, window / window.sum(), padding=SMOOTHING) for x in (above * sound, sound)]
    share = ((sums[0] / (sums[1] + 1e-6) - FIRST) / (ALONE - FIRST)).clamp(0, 1)
    return inside * share * (sums[1] / SOUND).clamp(max=1)
