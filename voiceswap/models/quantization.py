"""Weights in files: large matrices in 8 bits, all else in half precision."""

from collections.abc import Callable

import torch
from torch import Tensor

SCALE = ".scale"


def quantize(state: dict[str, Tensor], eight_bits: Callable[[str], bool]) -> dict[str, Tensor]:
    """A state dict in half precision.

    Tensors that `eight_bits` picks by name become int8 with one scale a row. What this function
    quantized comes out the same, so that exporting a model again leaves its fingerprint.
    """
    packed = {}
    for name, tensor in state.items():
        if eight_bits(name):
            scale = _rounded_up(tensor.flatten(1).abs().amax(1).clamp(min=1e-8) / 127)
            packed[name] = (tensor / _rows(scale, tensor)).round().to(torch.int8)
            packed[name + SCALE] = scale
        else:
            packed[name] = tensor.half() if tensor.is_floating_point() else tensor
    return {name: tensor.contiguous() for name, tensor in packed.items()}


def dequantize(packed: dict[str, Tensor]) -> dict[str, Tensor]:
    """The state dict in float32. Raises ValueError when 8-bit weights have no scale."""
    state = {}
    for name, tensor in packed.items():
        if name.endswith(SCALE) and name.removesuffix(SCALE) in packed:
            continue
        state[name] = tensor.float()
        if tensor.dtype == torch.int8:
            if name + SCALE not in packed:
                raise ValueError(f"{name} has no scale")
            state[name] *= _rows(packed[name + SCALE], tensor)
    return state


def _rounded_up(scale: Tensor) -> Tensor:
    """At most 16 bits of mantissa, so that products with 7 bits are exact."""
    mantissa, exponent = torch.frexp(scale)
    return torch.ldexp((mantissa * 2**16).ceil() / 2**16, exponent)


def _rows(scale: Tensor, tensor: Tensor) -> Tensor:
    return scale.view(-1, *[1] * (tensor.ndim - 1))
