"""What benchmarks share: the time of a piece of work, and rows of a table."""

import time
from collections.abc import Callable

import torch


def row(*cells: object) -> None:
    """Print a line of a table at once, so that nothing is lost when a part is stopped."""
    print("  ".join(f"{cell!s:>12}" for cell in cells), flush=True)


def quickest(
    work: Callable[[], object], device: torch.device | None = None, runs: int = 3
) -> float:
    """Seconds that `work` takes at least, after it was done once."""
    seconds = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        work()
        if device is not None and device.type == "cuda":
            torch.cuda.synchronize(device)
        seconds.append(time.perf_counter() - start)
    return min(seconds[1:])
