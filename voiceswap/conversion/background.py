"""Threads for what is done beside the networks: reading and writing."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from typing import ParamSpec, Self, TypeVar

import torch

T = TypeVar("T")
R = TypeVar("R")
P = ParamSpec("P")
_setting = threading.Lock()


class Background:
    """A few threads. Leaving the context by an exception ends what they do, at its next block.

    PyTorch uses one core in each thread: beside a GPU they are as many as processors.
    """

    def __init__(self, threads: int):
        self._pool = ThreadPoolExecutor(threads, initializer=compute_alone)
        self._stopped = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if kind is not None:
            self._stopped.set()
        self._pool.shutdown(cancel_futures=kind is not None)

    def start(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Do `work` in a thread."""
        return self._pool.submit(work, *args, **kwargs)

    def ahead(self, work: Callable[[T], R], items: Iterable[T], most: int) -> Iterator[R]:
        """Results of `work` in the items' order; at most so many are made before they are taken."""
        begun: deque[Future[R]] = deque()
        for item in items:
            begun.append(self.start(work, item))
            if len(begun) > most:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()

    def until_stopped(self, blocks: Iterable[T]) -> Iterator[T]:
        """Blocks that a thread works on. Raises CancelledError when the context was left."""
        for block in blocks:
            if self._stopped.is_set():
                raise CancelledError
            yield block


def compute_alone() -> None:
    """Have PyTorch compute in this thread without others.

    `set_num_threads` also sets the default of threads that start later. A second call, in another
    thread, restores that default; a thread that starts between the two keeps one core.
    """
    with _setting:
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        other = threading.Thread(target=torch.set_num_threads, args=(before,))
        other.start()
        other.join()
