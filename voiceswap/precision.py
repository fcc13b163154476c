"""Which arithmetic the networks have: 32 bits, or bfloat16 for matrix products."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

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


class FastLayer(nn.Module):
    """A layer that is one product, which can be in bfloat16 with sums in 32 bits.

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
        """Whether the product is in bfloat16 here and now."""
        return self._packed is not None and not torch.is_grad_enabled()

    def pack(self, keep: bool = True) -> None:
        """Have the product in bfloat16 from now on; the weight is dropped unless it is to be kept.

        A weight that was packed may not change any more.
        """
        packed = _for_products(self.matrix().detach().bfloat16())
        if not keep:
            self.weight = nn.Parameter(self.weight.new_zeros(0), requires_grad=False)
        self._packed = self.weight, packed

    def product(self, x: Tensor) -> Tensor:
        """`x` (..., inputs) times the matrix, plus the bias, in bfloat16: (..., outputs)."""
        x, bias = x.bfloat16(), None if self.bias is None else self.bias.bfloat16()
        if self._packed is None or self._packed[0] is not self.weight:  # an adapted voice's weight
            return F.linear(x, self.matrix().bfloat16(), bias)
        if not torch.backends.mkldnn.is_available():
            return F.linear(x, self._packed[1], bias)
        return torch.ops.mkldnn._linear_pointwise(x, self._packed[1], bias, "none", [], "")


class FastLinear(nn.Linear, FastLayer):
    """A linear layer as a `FastLayer`."""

    def matrix(self) -> Tensor:
        return self.weight

    def forward(self, x: Tensor) -> Tensor:
        return self.product(x) if self.is_fast else super().forward(x)


class FastConv1d(nn.Conv1d, FastLayer):
    """A convolution over frames, without dilation or groups, as a `FastLayer`.

    In bfloat16 it is a product with the frames under the kernel, rounded on the way in and out. The
    output has the precision of the input, and the channels of a frame beside one another in memory.
    """

    def matrix(self) -> Tensor:
        return self.weight.transpose(1, 2).flatten(1)

    def forward(self, x: Tensor) -> Tensor:
        if not self.is_fast:
            return super().forward(x)
        size, stride, side = self.kernel_size[0], self.stride[0], int(self.padding[0])
        padded = F.pad(x.mT.bfloat16(), (0, 0, side, side))
        return self.product(padded.unfold(1, size, stride).mT.flatten(2)).to(x.dtype).mT


def _for_products(matrix: Tensor) -> Tensor:
    """A matrix as oneDNN lays it out for its products, where there is oneDNN."""
    if not torch.backends.mkldnn.is_available():
        return matrix
    return torch.ops.mkldnn._reorder_linear_weight(matrix)


def use_bfloat16(network: nn.Module, keep: bool = True) -> None:
    """Have the parts of a network in bfloat16 that can be, unless a gradient is wanted.

    Weights stay as they are, or are dropped in favour of their rounded copies unless `keep`.
    """
    for part in network.modules():
        if isinstance(part, FastProducts):
            part.in_bfloat16 = True
        if isinstance(part, FastLayer):
            part.pack(keep)
