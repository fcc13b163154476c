"""Functions that a CUDA device runs as graphs: small kernels take longer to launch than to run."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, distributed


class CudaGraph:
    """A function of tensors whose kernels a CUDA device launches at once, forward and backward.

    The first call with gradients is captured, and the first without. Calls with other shapes are
    plain, and so are all on other kinds of devices, in inference mode, and in runs of several
    processes, whose communication would disturb the capture. Autocast is that of the captured call.
    What the function reads beside its inputs must stay where it is in memory; it gets no gradient.

    A result holds until the next call of its kind, and its backward pass comes before that. While
    a call is captured, no other thread may use the device.
    """

    def __init__(self, function: Callable[..., Tensor]):
        self.function = function
        self.graphs: dict[bool, tuple[list[torch.Size], Any]] = {}

    def __call__(self, *inputs: Tensor) -> Tensor:
        plain = inputs[0].device.type != "cuda" or torch.is_inference_mode_enabled()
        if plain or _several_processes():
            return self.function(*inputs)
        shapes = [x.shape for x in inputs]
        with_gradient = torch.is_grad_enabled() and any(x.requires_grad for x in inputs)
        if with_gradient not in self.graphs:
            self.graphs[with_gradient] = shapes, self._captured(inputs)
        captured, graph = self.graphs[with_gradient]
        return graph(*inputs) if shapes == captured else self.function(*inputs)

    def _captured(self, inputs: Sequence[Tensor]) -> Any:
        samples = tuple(x.detach().clone().requires_grad_(x.requires_grad) for x in inputs)
        # A cache of weights cast before would be gone when the graph is replayed.
        dtype, enabled = torch.get_autocast_dtype("cuda"), torch.is_autocast_enabled("cuda")
        autocast = torch.autocast("cuda", dtype, enabled, cache_enabled=False)
        with torch.cuda.device(inputs[0].device), autocast:
            return torch.cuda.make_graphed_callables(self.function, samples)


def _several_processes() -> bool:
    return distributed.is_available() and distributed.is_initialized()
