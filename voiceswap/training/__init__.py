"""Training: datasets, losses and the two Lightning modules. Needs the `train` extra."""

from collections.abc import Iterator
from contextlib import contextmanager

from voiceswap.errors import VoiceswapError


@contextmanager
def needs_extra() -> Iterator[None]:
    """Turns a failed import inside into a sentence that says how to install what is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise VoiceswapError(f"Training needs {error.name}; install it with: pip install 'voiceswap[train]'.") from error
