"""Items of different lengths as padded batches."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from voiceswap.models.layers import length_mask
from voiceswap.transfer import to_device

T = TypeVar("T")


def batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Neighbours together, up to `size` of them."""
    return (items[i : i + size] for i in range(0, len(items), size))


def stack(items: Sequence[Tensor]) -> tuple[Tensor, Tensor | None]:
    """Tensors (..., frames) padded to the longest, and the mask; None where nothing is padded."""
    lengths = [item.shape[-1] for item in items]
    if min(lengths) == max(lengths):
        return torch.stack(list(items)), None
    padded = [F.pad(item, (0, max(lengths) - item.shape[-1])) for item in items]
    return torch.stack(padded), length_mask(torch.tensor(lengths), max(lengths))


def stack_rows(items: Sequence[np.ndarray], device: torch.device) -> tuple[Tensor, Tensor | None]:
    """Arrays (frames, channels) as a batch (batch, channels, frames) on a device, and its mask.

    They are padded to the longest; the mask is None where nothing is.
    """
    lengths = torch.tensor([len(item) for item in items])
    rows = pad_sequence([torch.from_numpy(item) for item in items], batch_first=True)
    padded = lengths.min() < lengths.max()
    mask = length_mask(lengths, rows.shape[1]) if padded else None
    return to_device(rows, device).mT.float().contiguous(), on_device(mask, device)


def stack_pairs(
    pairs: Sequence[tuple[Tensor, Tensor]], device: torch.device
) -> tuple[Tensor, Tensor]:
    """Pairs of tensors as a pair of batches on a device."""
    first, second = zip(*pairs, strict=True)
    return to_device(torch.stack(first), device), to_device(torch.stack(second), device)


def on_device(mask: Tensor | None, device: torch.device) -> Tensor | None:
    """A mask, if there is one, on a device."""
    return None if mask is None else to_device(mask, device)


def usual_batch_size(device: str) -> int:
    """How many windows at once are quickest on a kind of device."""
    return 1 if device == "cpu" else 16
