"""Residual compensation: what the decoder's log-mels lack of a voice, retrieved by content.

Exemplar-based conversion makes up for residuals in this way (Wu et al., "Exemplar-based sparse
representation with residual compensation for voice conversion", 2014). Retrieval is kernel
regression (Nadaraya, 1964), which is attention to the reference; kNN-VC (Baas et al., 2023)
retrieves whole frames where this retrieves residuals.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from voiceswap.conversion.mel_statistics import speech_frames
from voiceswap.transfer import to_device

# A frame weighs exp(sharpness * similarity): more is nearer to the voice, and loses words. In the
# highs it loses few, and what gets rough there is averaged over mel frames. The more frames of
# speech are known, the more of them are alike, and the sharper retrieval can be.
LOW_SHARPNESS, HIGH_SHARPNESS = 6.0, 14.0  # for up to FRAMES frames of speech, 8 s
FRAMES, GROWTH = 400.0, 0.25  # beyond, sharpness grows with this power of their number
BLOCK_FRAMES = 4096  # of what is known, searched at a time, which bounds the memory
LOWS_END, HIGHS_BEGIN = 0.45, 0.55  # shares of the mel bins; of 80 up to 8 kHz, 1.5 and 2.1 kHz
HIGH_SMOOTHING_FRAMES = 5
CONTEXT_FRAMES = 3  # to either side that similarity covers too, with falling weights
EXCLUDED_NEIGHBOURS = 4  # frames to either side that are left out with a frame itself
FEW_FRAMES = 200.0  # of speech, as which the mean residual counts as zero
EXCLUDED = -1e4  # in place of a similarity; finite, for where nothing else is left


@dataclass(frozen=True)
class Residuals:
    """Residuals of voices, at the content code's frame rate, with the keys that retrieve them.

    keys: (batch, frames, code), content codes at unit length, zero in padding.
    values: (batch, frames, stride, mels), natural minus decoded log-mel.
    valid: (batch, frames), bool: frames with speech. The others are context only.
    """

    keys: Tensor
    values: Tensor
    valid: Tensor

    def to(self, device: torch.device | str) -> "Residuals":
        """The same on a device."""
        return Residuals(*(to_device(x, device) for x in (self.keys, self.values, self.valid)))


def impute(
    natural: Tensor, decoded: Tensor, reliability: Tensor, mask: Tensor | None = None
) -> Tensor:
    """Log-mels of recordings with what noise covers as it is to be expected.

    That is the decoded log-mel with the mean residual of what is reliable in its bin; missing
    features of speech in noise are imputed in this way (Cooke et al., 2001).

    Args:
        natural, decoded: log-mels (batch, mels, frames), as `extract_residuals` takes them.
        reliability: of natural ones, (batch, mels, frames), from 0 to 1.
        mask: (batch, 1, frames), or None where nothing is padded.
    """
    weight = reliability * speech_frames(natural, mask)[:, None]
    residual = natural - decoded
    mean = (weight * residual).sum(-1, keepdim=True) / (weight.sum(-1, keepdim=True) + FEW_FRAMES)
    return torch.lerp(decoded + mean, natural, reliability)


def extract_residuals(
    content: Tensor, decoded: Tensor, natural: Tensor, mask: Tensor | None = None
) -> Residuals:
    """The residuals of recordings.

    Values are rounded to half precision, in which files keep them, so that a saved voice is the
    same.

    Args:
        content: content code (batch, code, frames / stride).
        decoded: log-mels (batch, mels, frames) as the decoder makes them.
        natural: log-mels of the same recordings, as they are.
        mask: (batch, 1, frames), or None where nothing is padded.
    """
    frames = content.shape[-1]
    stride = -(-natural.shape[-1] // frames)
    beyond = frames * stride - natural.shape[-1]
    speech = F.pad(speech_frames(natural, mask), (0, beyond)).unflatten(-1, (frames, stride))
    values = F.pad(natural - decoded, (0, beyond)).unflatten(-1, (frames, stride))
    keys = F.normalize(content, dim=1).transpose(1, 2)
    if mask is not None:
        keys = keys * mask[:, 0, ::stride, None]
    return Residuals(keys.half().float(), values.permute(0, 2, 3, 1).half().float(), speech.all(-1))


def retrieve(
    residuals: Residuals,
    content: Tensor,
    frames: int,
    exclude_self: bool = False,
    mask: Tensor | None = None,
) -> Tensor:
    """The residuals to expect of other content in these voices: a mean weighted by similarity.

    Args:
        residuals: of `batch` voices, or of one that all share.
        content: content code (batch, code, frames / stride) of what is converted.
        frames: how many mel frames to return.
        exclude_self: `content` is the recording that the residuals are of; no frame then retrieves
            itself or its neighbours, so that the result is as it would be for other content.
        mask: of the mel frames, (batch, 1, frames), or None where nothing is padded.

    Returns:
        (batch, mels, frames), to add to decoded log-mels; zero for a voice without speech frames.
    """
    queries = F.normalize(content, dim=1).transpose(1, 2)
    known = residuals.valid.sum(1)[:, None, None]
    growth = (known / FRAMES).clamp(min=1) ** GROWTH
    blocks = (
        _retrieve_block(residuals, first, queries, growth, exclude_self)
        for first in range(0, residuals.keys.shape[1], BLOCK_FRAMES)
    )
    low, high = next(blocks)
    for other_low, other_high in blocks:
        low, high = _merge(low, other_low), _merge(high, other_high)
    lows, highs = low.mean[:, :frames], high.mean[:, :frames]
    lows, highs = (x.transpose(1, 2) * (known > 0) for x in (lows, highs))
    mels = residuals.values.shape[-1]
    bins = torch.arange(mels, device=content.device)
    share = ((bins / mels - LOWS_END) / (HIGHS_BEGIN - LOWS_END)).clamp(0, 1)[:, None]
    highs = _smooth(highs, mask)
    return lows + share * (highs - lows)


class _Retrieved(NamedTuple):
    """A mean of values (batch, frames, mels), and the logarithm of its weight (batch, queries)."""

    mean: Tensor
    log_weight: Tensor


def _retrieve_block(
    residuals: Residuals, first: int, queries: Tensor, growth: Tensor, exclude_self: bool
) -> tuple[_Retrieved, _Retrieved]:
    """What is retrieved of BLOCK_FRAMES frames from `first` on, for lows and for highs."""
    last = min(first + BLOCK_FRAMES, residuals.keys.shape[1])
    before = min(first, CONTEXT_FRAMES)
    keys = residuals.keys[:, first - before : last + CONTEXT_FRAMES]
    similarity = _in_context(queries @ keys.mT)[..., before : before + last - first]
    excluded = ~residuals.valid[:, None, first:last].expand_as(similarity)
    if exclude_self:
        here, there = (
            torch.arange(*ends, device=similarity.device)
            for ends in ((similarity.shape[1],), (first, last))
        )
        excluded = excluded | ((here[:, None] - there).abs() <= EXCLUDED_NEIGHBOURS)
    values = residuals.values[:, first:last].flatten(2)

    def retrieved(sharpness: float) -> _Retrieved:
        scores = (sharpness * growth * similarity).masked_fill(excluded, EXCLUDED)
        mean = (scores.softmax(-1) @ values).unflatten(2, residuals.values.shape[2:])
        return _Retrieved(mean.flatten(1, 2), scores.logsumexp(-1))

    return retrieved(LOW_SHARPNESS), retrieved(HIGH_SHARPNESS)


def _merge(one: _Retrieved, other: _Retrieved) -> _Retrieved:
    """What is retrieved of two blocks together."""
    log_weight = torch.logaddexp(one.log_weight, other.log_weight)
    stride = one.mean.shape[1] // log_weight.shape[1]

    def part(block: _Retrieved) -> Tensor:
        share = (block.log_weight - log_weight).exp()
        return block.mean * share.repeat_interleave(stride, 1)[..., None]

    return _Retrieved(part(one) + part(other), log_weight)


def _smooth(x: Tensor, mask: Tensor | None) -> Tensor:
    """x (batch, mels, frames) averaged over the frames around each, without padding."""

    def pooled(x: Tensor) -> Tensor:
        width = HIGH_SMOOTHING_FRAMES
        return F.avg_pool1d(x, width, 1, width // 2, count_include_pad=False)

    return pooled(x) if mask is None else pooled(x * mask) / pooled(mask).clamp(min=1e-3)


def stack_residuals(items: Sequence[Residuals]) -> Residuals:
    """Several batches as one, padded to the longest."""
    longest = max(item.keys.shape[1] for item in items)

    def stack(name: str) -> Tensor:
        tensors = [getattr(item, name) for item in items]
        padding = [(0, 0) * (x.ndim - 2) + (0, longest - x.shape[1]) for x in tensors]
        return torch.cat([F.pad(x, pad) for x, pad in zip(tensors, padding, strict=True)])

    return Residuals(stack("keys"), stack("values"), stack("valid"))


def join_residuals(items: Sequence[Residuals]) -> Residuals:
    """The residuals of several recordings of one voice as those of one, (1, frames, ...).

    Between recordings is silence, so that no context reaches from one to the other.
    """
    apart = [CONTEXT_FRAMES] * (len(items) - 1) + [0]

    def join(name: str) -> Tensor:
        tensors = [getattr(item, name) for item in items]
        padding = [(0, 0) * (x.ndim - 2) + (0, gap) for x, gap in zip(tensors, apart, strict=True)]
        return torch.cat([F.pad(x, p) for x, p in zip(tensors, padding, strict=True)], 1)

    return Residuals(join("keys"), join("values"), join("valid"))


def _in_context(similarity: Tensor) -> Tensor:
    """Similarity of frames (batch, queries, keys) to that of segments around them.

    A weighted mean along diagonals, with weights that fall to both sides.
    """
    padded = F.pad(similarity, (CONTEXT_FRAMES,) * 4)
    queries, keys = similarity.shape[1:]
    total = torch.zeros_like(similarity)
    for i in range(2 * CONTEXT_FRAMES + 1):
        weight = CONTEXT_FRAMES + 1 - abs(i - CONTEXT_FRAMES)
        total += weight * padded[:, i : i + queries, i : i + keys]
    return total / (CONTEXT_FRAMES + 1) ** 2  # the sum of the weights
