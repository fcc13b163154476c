"""A small change of the decoder's weights that belongs to one voice."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from voiceswap.transfer import to_device

# Matrices with a low-rank change, by the ends of their names; vectors change as a whole.
LOW_RANK = (".expand.weight", ".project.weight", "smooth.weight", "content.weight", "output.weight")


@dataclass(frozen=True)
class DecoderDelta:
    """Changes of a decoder's parameters, by their names.

    down, up: (rank, inputs) and (outputs, rank) of matrices, whose change is up @ down (Hu et al.,
    "LoRA", 2022). added: the changes of other parameters.
    """

    down: Mapping[str, Tensor]
    up: Mapping[str, Tensor]
    added: Mapping[str, Tensor]

    def weights(self, decoder: nn.Module) -> dict[str, Tensor]:
        """The decoder's changed parameters."""
        known = dict(decoder.named_parameters())
        changed = {name: known[name] + value for name, value in self.added.items()}
        for name, up in self.up.items():
            changed[name] = known[name] + (up @ self.down[name]).view_as(known[name])
        return changed

    def to(self, device: torch.device | str) -> "DecoderDelta":
        """The same on a device."""
        return DecoderDelta(
            *(
                {name: to_device(x, device) for name, x in part.items()}
                for part in vars(self).values()
            )
        )

    def tensors(self) -> dict[str, Tensor]:
        """All tensors, by names that `from_tensors` takes."""
        parts = vars(self).items()
        return {f"{part}.{name}": x for part, values in parts for name, x in values.items()}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor], decoder: nn.Module) -> "DecoderDelta":
        """The delta of tensors by name. Raises ValueError for what does not fit `decoder`."""
        known = dict(decoder.named_parameters())
        parts: dict[str, dict[str, Tensor]] = {"down": {}, "up": {}, "added": {}}
        for key, tensor in tensors.items():
            part, _, name = key.partition(".")
            if part not in parts or name not in known or not tensor.is_floating_point():
                raise ValueError(f"{key} is no part of the decoder")
            if not tensor.isfinite().all():
                raise ValueError(f"{key} has values that are not numbers")
            parts[part][name] = tensor.float()
        delta = cls(**parts)
        if delta.up.keys() != delta.down.keys():
            raise ValueError("a matrix has half of its change")
        for name, up in delta.up.items():
            rows, inputs = known[name].flatten(1).shape if known[name].ndim > 1 else (-1, -1)
            down = delta.down[name]
            if up.ndim != 2 or up.shape[0] != rows or down.shape != (up.shape[1], inputs):
                raise ValueError(f"the change of {name} has the wrong shape")
        for name, value in delta.added.items():
            if value.shape != known[name].shape:
                raise ValueError(f"the change of {name} has the wrong shape")
        return delta


def new_delta(decoder: nn.Module, rank: int, seed: int = 0) -> DecoderDelta:
    """A delta that changes nothing yet: random `down`, and zeros."""
    draw = torch.Generator().manual_seed(seed)
    down, up, added = {}, {}, {}
    for name, weight in decoder.named_parameters():
        if name.endswith(LOW_RANK):
            outputs, inputs = weight.flatten(1).shape
            down[name] = torch.randn(rank, inputs, generator=draw) / math.sqrt(inputs)
            up[name] = torch.zeros(outputs, rank)
        elif not name.endswith("style.weight"):
            added[name] = torch.zeros(weight.shape)
    return DecoderDelta(down, up, added)


def blend_deltas(deltas: Sequence[tuple[DecoderDelta | None, float]]) -> DecoderDelta | None:
    """The weighted sum of deltas; None where there are none."""
    given = [(delta, weight) for delta, weight in deltas if delta is not None and weight]
    if not given:
        return None
    down: dict[str, list[Tensor]] = {}
    up: dict[str, list[Tensor]] = {}
    added: dict[str, Tensor] = {}
    for delta, weight in given:
        for name in delta.up:
            down.setdefault(name, []).append(delta.down[name])
            up.setdefault(name, []).append(weight * delta.up[name])
        for name, value in delta.added.items():
            added[name] = added.get(name, torch.zeros_like(value)) + weight * value
    return DecoderDelta(
        {name: torch.cat(parts, 0) for name, parts in down.items()},
        {name: torch.cat(parts, 1) for name, parts in up.items()},
        added,
    )
