"""Which arithmetic the networks have: 32 bits, or 16 for matrix products."""

import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import torch
from torch import nn

from voiceswap.errors import VoiceswapError

P = ParamSpec("P")
R = TypeVar("R")
BFLOAT16 = ("avx512_bf16", "amx_bf16", "bf16")  # x86, x86, ARM
PRECISIONS = ("auto", "fp32")
TENSOR_CORES = (7, 0)  # compute capability of the first GPUs that have them


def has_fast_bfloat16() -> bool:
    """Whether this CPU has bfloat16 matrix products; without them it is many times slower."""
    known: Mapping[str, object] = getattr(
        torch.cpu, "get_capabilities", dict
    )()  # an older PyTorch can't tell: 32 bits are never slow
    return any(known.get(name) for name in BFLOAT16)


class _ExactArithmetic:
    """A context of any threads at once: the first changes settings, the last restores them."""

    def __init__(self) -> None:
        self._lock, self._inside, self._before = threading.Lock(), 0, (False, False)

    def __enter__(self) -> None:
        matrices, convolutions = torch.backends.cuda.matmul, torch.backends.cudnn
        with self._lock:
            if self._inside == 0:
                self._before = matrices.allow_tf32, convolutions.allow_tf32
                matrices.allow_tf32 = convolutions.allow_tf32 = False
            self._inside += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                torch.backends.cuda.matmul.allow_tf32 = self._before[0]
                torch.backends.cudnn.allow_tf32 = self._before[1]


_exact_arithmetic = _ExactArithmetic()


def exact_arithmetic(device: torch.device) -> AbstractContextManager:
    """Without the ten-bit mantissas (TF32) that products of 32 bits may have on a GPU.

    By default PyTorch's convolutions have them. It has one such setting for all threads.
    """
    return _exact_arithmetic if device.type == "cuda" else nullcontext()


def inference(method: Callable[Concatenate[Any, P], R]) -> Callable[Concatenate[Any, P], R]:
    """A method of an object with a `device`, run without gradients and in exact arithmetic."""

    @wraps(method)
    def run(self: Any, *args: P.args, **kwargs: P.kwargs) -> R:
        with torch.inference_mode(), exact_arithmetic(self.device):
            return method(self, *args, **kwargs)

    return run


def products_type(precision: str, device: torch.device) -> torch.dtype | None:
    """The type in which conversions on a device multiply matrices; None is that of the weights.

    With "auto" it is bfloat16 on a CPU that is quick at it, and float16, which has eight times its
    resolution, on a GPU with tensor cores. With "fp32" it is 32 bits everywhere.

    Raises VoiceswapError for any other precision.
    """
    if precision not in PRECISIONS:
        raise VoiceswapError(f"There is no precision '{precision}'; use {' or '.join(PRECISIONS)}.")
    if precision == "auto" and device.type == "cpu" and has_fast_bfloat16():
        return torch.bfloat16
    if precision == "auto" and device.type == "cuda":
        return torch.float16 if torch.cuda.get_device_capability(device) >= TENSOR_CORES else None
    return None


class FastProducts(nn.Module):
    """A network that can have its matrix products in 16 bits, with sums in 32 bits."""

    fast: tuple[str, torch.dtype] | None = None  # kind of device, and type of the products there

    def products(self) -> AbstractContextManager:
        """Where the products are: in 16 bits after `use_fast_products`, unless with gradients.

        Autocast holds for a thread alone, as PyTorch's settings of its products do not.
        """
        if self.fast is None or torch.is_grad_enabled():
            return nullcontext()
        return torch.autocast(*self.fast)


def use_fast_products(network: nn.Module, fast: tuple[str, torch.dtype] | None) -> None:
    """Have the products of a network's `FastProducts` so; its weights stay as they are."""
    for part in network.modules():
        if isinstance(part, FastProducts):
            part.fast = fast


def round_weights(network: nn.Module, dtype: torch.dtype) -> None:
    """Keep matrices in the type of products, so that they are not rounded before each."""
    for layer in network.modules():
        if isinstance(layer, (nn.Conv1d, nn.Linear)):
            layer.to(dtype)
