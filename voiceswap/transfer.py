"""Devices, and copies between the host and one, beside what the device computes."""

from collections.abc import Callable, Iterable
from itertools import chain
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from voiceswap.errors import VoiceswapError

DEVICES = ("cpu", "cuda", "mps")
T = TypeVar("T")
R = TypeVar("R")
Network = TypeVar("Network", bound=nn.Module)


def find_device(name: str) -> torch.device:
    """A device by name; "auto" is a CUDA device, or else the CPU.

    A Mac's GPU has to be named: PyTorch ends the program where two threads use it at once, as those
    of the page do.

    Raises VoiceswapError for one that can't be used here.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
        if device.type not in DEVICES:  # as "meta", whose tensors have no values
            raise RuntimeError
    except (RuntimeError, AssertionError) as error:
        raise VoiceswapError(f"The device '{name}' can't be used here; try cpu.") from error
    return device


def to_device(x: Tensor, device: torch.device | str) -> Tensor:
    """A tensor on a device.

    To a CUDA device it goes from pinned memory: any other copy waits for all that is queued.
    """
    device = torch.device(device)
    if device.type != "cuda" or x.device.type != "cpu":
        return x.to(device)
    return x.pin_memory().to(device, non_blocking=True)


def network_on(network: Network, device: torch.device) -> Network:
    """A network on a device; moved unless it is there, since that goes through all its tensors."""
    there = next(chain(network.parameters(), network.buffers())).device == device
    return network if there else network.to(device)


class HostCopy:
    """A tensor's copy on the host, under way until it is asked for."""

    def __init__(self, x: Tensor):
        self._ready: torch.cuda.Event | None = None
        if x.device.type != "cuda":
            self._copy = x.cpu()
            return
        self._copy = torch.empty(x.shape, dtype=x.dtype, pin_memory=True)
        self._copy.copy_(x, non_blocking=True)
        self._ready = torch.cuda.current_stream(x.device).record_event()

    def numpy(self) -> np.ndarray:
        """The values, as soon as they are there."""
        if self._ready is not None:
            self._ready.synchronize()
        return self._copy.numpy()


def overlapped(items: Iterable[T], start: Callable[[T], R], finish: Callable[[T, R], None]) -> None:
    """Call `start` on each item, and `finish` on it once the next has been started.

    So the device always has queued work: `start` queues it, and `finish` takes what that gives.
    """
    waiting: list[tuple[T, R]] = []
    for item in items:
        waiting.append((item, start(item)))
        if len(waiting) > 1:
            finish(*waiting.pop(0))
    for pair in waiting:
        finish(*pair)
