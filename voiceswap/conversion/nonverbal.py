"""Laughter, coughs and other nonverbal sounds, where the output follows the source's spectrum.

The content code can't represent them, and the decoder would turn them into speech. The content
posterior shows where they are: its variance is larger there than in speech.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from voiceswap.conversion.mel_statistics import speech_frames
from voiceswap.features import AudioConfig, mel_edges

# Thresholds on the mean log-variance in excess of that of speech: above the first, the source's
# spectrum is mixed in; above the second, it replaces the decoded one. 6 and 0.2 % of the frames of
# speech exceed them, and 89 and 66 % of those of laughter.
MIXED_EXCESS, REPLACED_EXCESS = 0.15, 0.35
SMOOTHING_FRAMES = 18  # mel frames to either side over which the log-variance is averaged
MIN_SOUND_SHARE = 0.25  # of the averaged frames; with less sound, it is a pause and is decoded


class Envelope(nn.Module):
    """Takes the harmonics out of a source's log-mels.

    Where the output has another pitch, they would sound beside its own: a song an octave lower
    kept the source's octave.
    """

    def __init__(self, audio: AudioConfig):
        super().__init__()
        self.floor = audio.log_floor
        self.register_buffer("edges", mel_edges(audio), persistent=False)
        self.edges: Tensor

    def forward(self, mel: Tensor, f0: Tensor) -> Tensor:
        """The spectral envelope of log-mels (batch, mels, frames).

        Every bin becomes the mean magnitude over one F0 (batch, frames), Hz, around it, as in
        CheapTrick (Morise, 2015). Where F0 is 0, it stays.
        """
        edges, width = self.edges, self.edges.diff()
        below = F.pad((mel.exp() * width[:, None]).cumsum(1), (0, 0, 1, 0))  # each edge

        def up_to(hz: Tensor) -> Tensor:
            bins = (torch.searchsorted(edges, hz) - 1).clamp(0, len(width) - 1)
            inside = (hz - edges[bins]) / width[bins]
            return below.gather(1, bins).lerp(below.gather(1, bins + 1), inside)

        middle, half = (edges[1:] + edges[:-1])[:, None] / 2, f0[:, None] / 2
        low, high = (middle - half).clamp(min=edges[0]), (middle + half).clamp(max=edges[-1])
        mean = (up_to(high) - up_to(low)) / (high - low).clamp(min=1)
        return torch.where(f0[:, None] > 0, mean.clamp(min=self.floor).log(), mel)


def follow_source(
    mel: Tensor, source: Tensor, share: Tensor, sums: tuple[Tensor, Tensor]
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
    window = torch.hann_window(2 * SMOOTHING_FRAMES + 3, device=above.device)[None, None, 1:-1]
    sums = [
        F.conv1d(x, window / window.sum(), padding=SMOOTHING_FRAMES) for x in (above * sound, sound)
    ]
    share = ((sums[0] / (sums[1] + 1e-6) - MIXED_EXCESS) / (REPLACED_EXCESS - MIXED_EXCESS)).clamp(
        0, 1
    )
    return inside * share * (sums[1] / MIN_SOUND_SHARE).clamp(max=1)
