"""Which arithmetic a CPU has instructions for."""

from collections.abc import Mapping

import torch

BFLOAT16 = ("avx512_bf16", "amx_bf16", "bf16")  # x86, x86, ARM


def has_fast_bfloat16() -> bool:
    """Whether this CPU has bfloat16 matrix products; without them it is many times slower."""
    known: Mapping[str, object] = getattr(
        torch.cpu, "get_capabilities", dict
    )()  # an older PyTorch can't tell: 32 bits are never slow
    return any(known.get(name) for name in BFLOAT16)
