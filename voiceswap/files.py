"""Files that appear whole or not at all, and the hash of one."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

from voiceswap.errors import VoiceswapError


@contextmanager
def whole_file(path: Path, error: type[VoiceswapError] = VoiceswapError) -> Iterator[Path]:
    """A temporary file beside `path` that takes its name when the block ends without an error.

    Otherwise it is removed.

    Makes the folder. What the disk or safetensors refuses is raised as `error`, in one sentence.
    """
    if "\0" in str(path):
        raise error(f"{path} can't be written (no name holds a null character).")
    if path.exists() and not path.is_file():
        raise error(f"{path} is {'a folder' if path.is_dir() else 'no file'}; give a file's name.")
    path, temporary = Path(os.path.realpath(path)), None  # what a link leads to, not the link
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".voiceswap-")
        os.close(handle)
        temporary = Path(name)
        yield temporary
        os.chmod(temporary, 0o644)  # whoever made it, it came closed to others
        os.replace(temporary, path)
    except (OSError, SafetensorError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem).rstrip(".")
        raise error(f"{path} can't be written ({reason}).") from problem
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def sha256(path: str | os.PathLike) -> str:
    """The hash of a file's content."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
