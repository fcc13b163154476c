"""What only some commands need is imported when they run."""

from collections.abc import Iterator
from contextlib import contextmanager

from voiceswap.errors import VoiceswapError


@contextmanager
def needs_extra(what: str, extra: str) -> Iterator[None]:
    """Turns a failed import inside into a sentence that says how to install what is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise VoiceswapError(
            f"{what} needs {error.name}; install it with: pip install 'voiceswap[{extra}]'."
        ) from error
