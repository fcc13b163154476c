"""Notes: one-sentence warnings about a recording that is used all the same.

Examples are a silent channel and a cut-off end. Without anybody who takes them, notes are Python
warnings.
"""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class AudioWarning(UserWarning):
    """A recording is used, but not as its owner may expect."""


_taker: ContextVar[Callable[[str], None] | None] = ContextVar("taker", default=None)


def note(sentence: str) -> None:
    """Say one sentence, which names the recording."""
    take = _taker.get()
    if take is None:
        warnings.warn(sentence, AudioWarning, stacklevel=2)
    else:
        take(sentence)


@contextmanager
def notes_to(take: Callable[[str], None]) -> Iterator[None]:
    """Notes of this thread go to `take` during the block."""
    token = _taker.set(take)
    try:
        yield
    finally:
        _taker.reset(token)
