"""Files: atomic writes, write errors as one sentence, hashes, and names for every system."""

import errno
import hashlib
import os
import re
import secrets
import shutil
import stat
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

from safetensors import SafetensorError

from voiceswap.errors import VoiceswapError

MIN_FREE_BYTES = 65536  # a disk with less is full
FULL = (errno.ENOSPC, errno.EDQUOT)
FULL_IN_RUST = tuple(f"(os error {number})" for number in (*FULL, 112))  # 112: Windows
# The characters that Windows, macOS or Linux refuse, or would change: of a device's name, as con or
# lpt1.txt, the first.
UNSAFE_NAME = re.compile(
    r'[<>:"/\\|?*\x00-\x1f]|[. ]\Z|\A(?=(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|\Z)).', re.IGNORECASE
)


def require_writable(path: Path, error: type[VoiceswapError] = VoiceswapError) -> None:
    """Raise `error` where no file can be made, before anything takes time."""
    if "\0" in str(path):
        raise error(f"{path} can't be written (no name holds a null character).")
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as problem:  # a name that is too long
        raise_write_error(path, problem, error)
    if path.exists() and not path.is_file():
        raise error(f"{path} is {'a folder' if path.is_dir() else 'no file'}; give a file's name.")
    folder = next((folder for folder in path.absolute().parents if folder.exists()), Path("/"))
    if not folder.is_dir():
        raise error(f"{path} can't be written: {folder} is no folder.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise error(f"{path} can't be written: nothing may be made in {folder}.")


@contextmanager
def whole_file(path: Path, error: type[VoiceswapError] = VoiceswapError) -> Iterator[Path]:
    """A temporary file beside `path` that takes its name when the block ends without an error.

    Otherwise it is removed.

    Makes the folder. What the disk or safetensors refuses is raised as `error`, in one sentence.
    """
    require_writable(path, error)
    path, temporary = Path(os.path.realpath(path)), None  # what a link leads to, not the link
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".voiceswap-{secrets.token_hex(8)}")
        temporary.touch(exist_ok=False)
        mode = temporary.stat().st_mode  # as the user's umask has it
        yield temporary
        with suppress(OSError):  # a share may have no modes
            # Not every library keeps the mode of a file that it writes.
            os.chmod(temporary, stat.S_IMODE(path.stat().st_mode if path.exists() else mode))
        os.replace(temporary, path)
    except (OSError, SafetensorError) as problem:
        raise_write_error(path, problem, error)
    finally:
        if temporary is not None:
            with suppress(OSError):  # of a folder that has gone; what is raised says so
                temporary.unlink(missing_ok=True)


def raise_write_error(path: Path, problem: Exception, kind: type[VoiceswapError]) -> NoReturn:
    """Raise what kept `path` from being written as `kind`, in one sentence.

    Where the disk is full its cause is an OSError that says so, whatever library met it.
    """
    if _lacks_room(problem, path.parent):
        raise kind(
            f"{path} can't be written: no space left on the disk of {path.parent}; make room, or "
            "write elsewhere."
        ) from OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    reason = getattr(problem, "strerror", None) or str(problem).rstrip(".")
    raise kind(f"{path} can't be written ({reason}).") from problem


def disk_is_full(error: BaseException | None) -> bool:
    """Whether an error, or one that caused it, is that of a full disk."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in FULL:
            return True
        error = error.__cause__ or error.__context__
    return False


def free_bytes(folder: Path) -> int:
    """Free room on the disk that a folder is on, or would be if it were made."""
    folder = folder.absolute()
    return shutil.disk_usage(next(part for part in (folder, *folder.parents) if part.exists())).free


def _lacks_room(problem: Exception, folder: Path) -> bool:
    """Whether the disk of a folder was full for a library whose errors may not tell."""
    number = getattr(problem, "errno", None)
    if number is not None or isinstance(problem, ValueError):
        return number in FULL
    if str(problem).rstrip(".").endswith(FULL_IN_RUST):  # of safetensors
        return True
    with suppress(OSError):  # errors of libsndfile and safetensors have no number: ask the disk
        return free_bytes(folder) < MIN_FREE_BYTES
    return False


def flush_to_disk(path: Path) -> None:
    """Return when a file's content survives a loss of power."""
    with open(path, "r+b") as file:  # Windows flushes no file that is open for reading only
        os.fsync(file.fileno())


def sha256(path: str | os.PathLike) -> str:
    """The hash of a file's content."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_signature(path: str | os.PathLike) -> list[int]:
    """Size and modification time, which show a change unread; nothing of a file that is missing."""
    try:
        status = os.stat(path)
    except OSError:
        return []
    return [status.st_size, status.st_mtime_ns]


def is_safe_name(name: str) -> bool:
    """Whether every system can give a file or folder this name."""
    return not UNSAFE_NAME.search(name)


def folded_name(name: str) -> str:
    """The name as file systems compare it that ignore case and Unicode composition."""
    return unicodedata.normalize("NFC", name).casefold()
