"""The errors a user can cause. Each message is one plain sentence that says what to do."""

from collections.abc import Iterator
from contextlib import contextmanager


class VoiceswapError(Exception):
    """Base of all errors below; commands print it without a trace."""


class OptionError(VoiceswapError):
    """An option of a command has a value that it can't have."""


class AudioError(VoiceswapError):
    """A recording can't be read, used or written."""


class CheckpointError(VoiceswapError):
    """A checkpoint can't be read, or does not fit what it is put together with."""


class DataError(VoiceswapError):
    """A corpus or manifest can't be used."""


class TrainingError(VoiceswapError):
    """A run can't go on."""


MEMORY_IS_FULL = (
    "The memory of the device is full; end what else uses it, use --device cpu, or, in a batch, "
    "fewer --jobs."
)


def memory_is_full(error: BaseException) -> bool:
    """Whether an error is that of a machine or a device without room.

    The text of PyTorch's error differs by device.
    """
    if isinstance(error, MemoryError):
        return True
    signs = "out of memory", "ALLOC_FAILED", "can't allocate memory", "not enough memory"
    return isinstance(error, RuntimeError) and any(sign in str(error) for sign in signs)


LIBRARY_IS_BROKEN = (
    "A library can't be loaded ({}); install voiceswap again, and on Windows also Microsoft's "
    "Visual C++ Redistributable."
)


def library_is_broken(error: BaseException) -> bool:
    """Whether an error is that of a compiled library which the system can't load.

    ctypes's has no number, and PyTorch's on Windows is one of Windows without a file's name.
    """
    if isinstance(error, OSError):
        of_windows = getattr(error, "winerror", None) is not None and error.filename is None
        return error.errno is None or of_windows
    return isinstance(error, ImportError) and not isinstance(error, ModuleNotFoundError)


@contextmanager
def needs_extra(what: str, extra: str) -> Iterator[None]:
    """Turns a failed import inside into a sentence that says how to install what is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise VoiceswapError(
            f'{what} needs {error.name}; install it with: pip install "voiceswap[{extra}]".'
        ) from error
