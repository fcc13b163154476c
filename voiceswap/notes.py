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


class Note(str):
    """A sentence that begins with a recording's name.

    Attributes:
        recording: the name.
        text: the rest of the sentence.
    """

    recording: str
    text: str

    def __new__(cls, recording: object, text: str) -> "Note":
        sentence = super().__new__(cls, f"{recording}{text}")
        sentence.recording, sentence.text = str(recording), text
        return sentence

    def __reduce__(self) -> tuple:  # to another process
        return type(self), (self.recording, self.text)

    def of(self, recording: str) -> "Note":
        """The same note of a recording by another name."""
        return type(self)(recording, self.text)


class LossNote(Note):
    """A note that a recording is shorter than its header promises."""


_taker: ContextVar[Callable[[Note], None] | None] = ContextVar("taker", default=None)


def note(sentence: Note) -> None:
    """Pass a note to whoever takes those of this thread."""
    take = _taker.get()
    if take is None:
        warnings.warn(sentence, AudioWarning, stacklevel=2)
    else:
        take(sentence)


@contextmanager
def notes_to(take: Callable[[Note], None]) -> Iterator[None]:
    """Notes of this thread go to `take` during the block."""
    token = _taker.set(take)
    try:
        yield
    finally:
        _taker.reset(token)
