"""Which arithmetic the networks have: 32 bits, or bfloat16 for matrix products."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import nn

from voiceswap.errors import VoiceswapError

BFLOAT16 = ("avx512_bf16", "amx_bf16", "bf16")  # x86, x86, ARM
PRECISIONS = ("auto", "fp32")


def has_fast_bfloat16() -> bool:
    """Whether this CPU has bfloat16 matrix products; without them it is many times slower."""
    known: Mapping[str, object] = getattr(
        torch.cpu, "get_capabilities", dict
    )()  # an older PyTorch can't tell: 32 bits are never slow
    return any(known.get(name) for name in BFLOAT16)


def is_bfloat16(precision: str, device: torch.device) -> bool:
    """Whether conversions on a device multiply in bfloat16.

    With "auto" they do on a CPU that is quick at it, with "fp32" nowhere.

    Raises VoiceswapError for any other precision.
    """
    if precision not in PRECISIONS:
        raise VoiceswapError(f"There is no precision '{precision}'; use {' or '.join(PRECISIONS)}.")
    return precision == "auto" and device.type == "cpu" and has_fast_bfloat16()


class FastProducts(nn.Module):
    """A network that can have its matrix products in bfloat16, with sums in 32 bits."""

    in_bfloat16 = False

    def products(self) -> AbstractContextManager:
        """Where the products are: in bfloat16 after `use_bfloat16`, unless a gradient is wanted."""
        fast = self.in_bfloat16 and not torch.is_grad_enabled()
        return torch.autocast("cpu", torch.bfloat16) if fast else nullcontext()


def use_bfloat16(network: nn.Module, enabled: bool) -> None:
    """Whether the parts of a network that can be quick are; its weights stay as they are."""
    for part in network.modules():
        if isinstance(part, FastProducts):
            part.in_bfloat16 = enabled


def round_weights(network: nn.Module) -> None:
    """Keep matrices in bfloat16, so that they are not rounded before every product."""
    for layer in network.modules():
        if isinstance(layer, (nn.Conv1d, nn.Linear)):
            layer.bfloat16()
