"""The share of the work that is done, as callers are told."""

from collections.abc import Callable

ProgressCallback = Callable[[float], None]  # is called with the share done, from 0 to 1


def part_of(progress: ProgressCallback, first: float, last: float) -> ProgressCallback:
    """Progress of a part of the work, as the shares `first` to `last` of all of it."""
    return lambda done: progress(first + (last - first) * done)
