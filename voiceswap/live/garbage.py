"""Keeps Python's garbage collector from halting a conversion that is live."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def brief_collections() -> Iterator[None]:
    """Leave what exists now out of garbage collections until the block is left.

    A full collection visits every object of the libraries, half a million of them, and stops all
    threads for 0.3 s, which is longer than a block of a stream.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
