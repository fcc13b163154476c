"""Which arithmetic the networks have: 32 bits, or 16 for matrix products."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from voiceswap.errors import VoiceswapError

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
BFLOAT16 = ("amx_bf16", "bf16")  # instructions of Intel, and of ARM
PRECISIONS = ("auto", "fp32")
TENSOR_CORES = (7, 0)  # compute capability of the first GPUs that have them


def has_fast_bfloat16() -> bool:
    """Whether this CPU has bfloat16 matrix products that are quicker than those in 32 bits."""
    # An older PyTorch can't tell: 32 bits are never slow.
    known: Mapping[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    # With AVX-512 BF16, AMD multiplies twice as many numbers in a cycle as in 32 bits, Intel as
    # many: without AMX, which a virtual machine may hide, bfloat16 has half the speed there.
    on_amd = known.get("avx512_bf16") and "Intel" not in str(known.get("cpu_name"))
    if not on_amd and not any(known.get(name) for name in BFLOAT16):
        return False
    # PyTorch for macOS lacks oneDNN, which alone is quick at them, and ONEDNN_MAX_CPU_ISA may keep
    # oneDNN from using what the processor has.
    available = torch.backends.mkldnn.is_available()
    return available and torch.ops.mkldnn._is_mkldnn_bf16_supported()


class _SharedSetting:
    """A setting of all threads: the first of any at once changes it, the last restores it."""

    def __init__(self, read: Callable[[], T], write: Callable[[T], None], value: T) -> None:
        self._read, self._write, self._value = read, write, value
        self._lock, self._inside, self._before = threading.Lock(), 0, value

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._before = self._read()
                self._write(self._value)
            self._inside += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0 and self._before != self._value:
                self._write(self._before)


def _tf32_settings() -> tuple[Any, ...]:
    cuda, cudnn = torch.backends.cuda, torch.backends.cudnn
    return cuda.matmul, cudnn.conv, cudnn.rnn  # type: ignore[attr-defined]


def _fp32_precisions() -> list[str]:
    return [kind.fp32_precision for kind in _tf32_settings()]


def _set_fp32_precisions(precisions: Sequence[str]) -> None:
    """Set TF32 by both names that PyTorch has for it.

    The former one can't be read where a program has set the other alone, and PyTorch reads it.
    """
    torch.backends.cuda.matmul.allow_tf32 = precisions[0] == "tf32"
    torch.backends.cudnn.allow_tf32 = precisions[1] == "tf32"
    for kind, precision in zip(_tf32_settings(), precisions, strict=True):
        kind.fp32_precision = precision


_no_tf32 = _SharedSetting(_fp32_precisions, _set_fp32_precisions, ["ieee"] * 3)
_float32 = _SharedSetting(torch.get_default_dtype, torch.set_default_dtype, torch.float32)


@contextmanager
def torch_defaults() -> Iterator[None]:
    """With the type and the device that PyTorch gives new tensors unless a program chooses others.

    The type is one for all threads, the device one for each.
    """
    host = torch.get_default_device().type == "cpu"
    with _float32, nullcontext() if host else torch.device("cpu"):
        yield


@contextmanager
def exact_arithmetic(device: torch.device) -> Iterator[None]:
    """Without a caller's autocast and defaults, and without TF32.

    TF32 is the ten-bit mantissas of a GPU's products, which PyTorch's convolutions have by default.
    """
    has_autocast = torch.amp.is_autocast_available(device.type)
    plain = torch.autocast(device.type, enabled=False) if has_autocast else nullcontext()
    with torch_defaults(), plain, _no_tf32 if device.type == "cuda" else nullcontext():
        yield


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
        """The context to compute in: 16-bit products after `use_fast_products`.

        While gradients are recorded, products are in 32 bits. Autocast holds for a thread alone, as
        PyTorch's settings of its products do not.
        """
        if self.fast is None or torch.is_grad_enabled():
            return nullcontext()
        return torch.autocast(*self.fast)


class FastLayer(nn.Module):
    """A layer that is one product, which can be in 16 bits with sums in 32 bits.

    Its matrix is rounded and laid out for the product once, by `pack`: for a second of sound that
    takes longer than the product itself. Where a gradient is wanted, nothing changes.
    """

    weight: Tensor
    bias: Any
    _packed: tuple[Tensor, Tensor] | None = None  # the weight that was packed, and its matrix

    def matrix(self) -> Tensor:
        """The weight as a matrix (outputs, inputs)."""
        raise NotImplementedError

    @property
    def is_fast(self) -> bool:
        """Whether the product is in 16 bits here and now."""
        return self._packed is not None and not torch.is_grad_enabled()

    def pack(self, dtype: torch.dtype | None, keep: bool = True) -> None:
        """Have the product in a type of 16 bits from now on, on the device that the weight is on.

        The weight is dropped unless it is to be kept. It may not change any more. With None the
        product is in 32 bits again, which needs the weight.
        """
        if dtype is None:
            assert self.weight.numel(), "The weight was dropped."
            self._packed = None
            return
        packed = _for_products(self.matrix().detach().to(dtype))
        if not keep:
            self.weight = nn.Parameter(self.weight.new_zeros(0), requires_grad=False)
        self._packed = self.weight, packed

    def product(self, x: Tensor) -> Tensor:
        """`x` (..., inputs) times the matrix, plus the bias, in 16 bits: (..., outputs)."""
        assert self._packed is not None
        packed, matrix = self._packed
        x, bias = x.to(matrix.dtype), None if self.bias is None else self.bias.to(matrix.dtype)
        if packed is not self.weight:  # an adapted voice's weight
            return F.linear(x, self.matrix().to(matrix.dtype), bias)
        if matrix.is_mkldnn:
            return torch.ops.mkldnn._linear_pointwise(x, matrix, bias, "none", [], "")
        return F.linear(x, matrix, bias)


class FastLinear(nn.Linear, FastLayer):
    """A linear layer as a `FastLayer`."""

    def matrix(self) -> Tensor:
        return self.weight

    def forward(self, x: Tensor) -> Tensor:
        return self.product(x) if self.is_fast else super().forward(x)


class FastConv1d(nn.Conv1d, FastLayer):
    """A convolution over frames, without dilation or groups, as a `FastLayer`.

    In 16 bits it is a product with the frames under the kernel, rounded on the way in and out. The
    output has the precision of the input, and the channels of a frame beside one another in memory.
    """

    def matrix(self) -> Tensor:
        return self.weight.transpose(1, 2).flatten(1)

    def forward(self, x: Tensor) -> Tensor:
        if self._packed is None or not self.is_fast:
            return super().forward(x)
        size, stride, side = self.kernel_size[0], self.stride[0], int(self.padding[0])
        rounded = x.mT.to(self._packed[1].dtype)  # here, since the kernel repeats every frame
        padded = F.pad(rounded, (0, 0, side, side))
        return self.product(padded.unfold(1, size, stride).mT.flatten(2)).to(x.dtype).mT


def _for_products(matrix: Tensor) -> Tensor:
    """A matrix as oneDNN lays it out for its products, where there is oneDNN."""
    if matrix.device.type != "cpu" or not torch.backends.mkldnn.is_available():
        return matrix
    return torch.ops.mkldnn._reorder_linear_weight(matrix)


def use_fast_products(
    network: nn.Module, fast: tuple[str, torch.dtype] | None, keep: bool = True
) -> None:
    """Have the products of a network in 16 bits where they can be, unless a gradient is wanted.

    Args:
        network: on the device that it is to stay on.
        fast: the kind of device, and the type of the products there; None leaves them in 32 bits.
        keep: whether weights stay beside their rounded copies.
    """
    for part in network.modules():
        if isinstance(part, FastProducts):
            part.fast = fast
        if isinstance(part, FastLayer):
            part.pack(None if fast is None else fast[1], keep)
