"""Access to inputs: local paths directly, URLs such as s3://bucket/talks through fsspec."""

import glob
import os
import posixpath
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voiceswap.audio_io.recording_files import recordings_in
from voiceswap.csv_lists import decode_text
from voiceswap.errors import VoiceswapError

# Others, such as tar:// and reference://, would open further files that a manifest names.
PROTOCOLS = ("file", "s3", "gs", "gcs", "az", "abfs", "https", "http", "memory")


@dataclass(frozen=True, slots=True)
class FileSignature:
    """Size in bytes and modification time of a file: they show a change without reading it."""

    size: int
    modified: str  # in nanoseconds for a local file; as the store gives it for a URL


def is_url(path: str) -> bool:
    """Whether `path` is a URL, which fsspec opens."""
    return "://" in path


def absolute(path: str) -> str:
    """The absolute path or full URL of `path`; equal paths give equal strings."""
    if not is_url(path):
        return os.path.abspath(path)
    with _plain_errors(path):
        files, inside = _open(path)
        return files.unstrip_protocol(inside)


def is_pipe(path: str) -> bool:
    """Whether `path` can be read once only, as `<(cat list.csv)`."""
    return not is_url(path) and Path(path).is_fifo()


def is_folder(path: str) -> bool:
    """Whether `path` is a folder."""
    if not is_url(path):
        return os.path.isdir(path)
    with _plain_errors(path):
        files, inside = _open(path)
        return files.isdir(inside)


def exists(path: str) -> bool:
    """Whether there is a file or folder `path`."""
    if not is_url(path):
        return os.path.lexists(path)
    with _plain_errors(path):
        files, inside = _open(path)
        return files.exists(inside)


def signature(path: str) -> FileSignature:
    """The signature of a file. Raises VoiceswapError when there is none."""
    with _plain_errors(path):
        if not is_url(path):
            stat = os.stat(path)
            return FileSignature(stat.st_size, str(stat.st_mtime_ns))
        files, inside = _open(path)
        return _signature(files.info(inside))


def walk(folder: str, skip: str) -> Iterator[tuple[str, str]]:
    """All files in a folder and below, sorted, without hidden ones.

    Args:
        folder: a path or URL.
        skip: a folder to leave out, since outputs among the inputs are not inputs.

    Yields:
        Each file's path, and its path relative to `folder` with slashes. A folder that can't be
        listed is yielded as a file.
    """
    if is_url(folder):
        with _plain_errors(folder):
            files, inside = _open(folder)
            paths = sorted(files.find(inside))
            found = [(files.unstrip_protocol(path), _relative(inside, path)) for path in paths]
        for path, name in found:
            if not any(part.startswith(".") for part in name.split("/")):
                yield path, name
        return

    def descend(path: str, name: str, parents: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        real = os.path.realpath(path)
        if real == os.path.realpath(skip) or real in parents:  # a link may lead to a parent
            return
        try:
            children = sorted(os.scandir(path), key=lambda child: child.name)
        except OSError:
            yield path, name
            return
        for child in children:
            child_name = f"{name}/{child.name}" if name else child.name
            if child.name.startswith("."):
                continue
            if os.path.isdir(child):
                yield from descend(child.path, child_name, (*parents, real))
            elif os.path.isfile(child) or child.is_symlink():  # a broken link is a missing file
                yield child.path, child_name

    yield from descend(folder, "", ())


def matching(pattern: str, skip: str) -> Iterator[tuple[str, str]]:
    """The files that match a glob, `**` included, sorted, without those in the folder `skip`.

    Yields:
        Each file's path, and its path relative to the last folder without a wildcard. A file that
        several links lead to is yielded once, with the shortest path.
    """
    parts = pattern.replace(os.sep, "/").split("/")
    root = "/".join(parts[: next(i for i, part in enumerate(parts) if glob.has_magic(part))])
    if is_url(pattern):
        with _plain_errors(pattern):
            files, inside = _open(pattern)
            top = _open(root)[1]
            paths = sorted(files.glob(inside))
            found = [(files.unstrip_protocol(path), _relative(top, path)) for path in paths]
        yield from found
        return
    chosen: dict[str, str] = {}
    matches = filter(os.path.isfile, glob.glob(pattern, recursive=True))
    for path in sorted(matches, key=lambda path: (path.count(os.sep), path)):
        real = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
        if not Path(real).is_relative_to(os.path.realpath(skip)):
            chosen.setdefault(real, path)
    yield from ((path, _relative(root, path)) for path in sorted(chosen.values()))


def _relative(top: str, path: str) -> str:
    """A path relative to a folder, with slashes; a path outside of it gives its last part."""
    path, top = path.replace(os.sep, "/"), f"{top.replace(os.sep, '/').rstrip('/')}/"
    if path.startswith(top):
        return path[len(top) :]
    return path if top == "/" else posixpath.basename(path)


def references_in(path: str) -> list[str]:
    """A reference itself, or the recordings of a local folder of them.

    Raises VoiceswapError for a folder without any.
    """
    if is_url(path) or not os.path.isdir(path):
        return [path]
    return [str(recording) for recording in recordings_in([Path(path)])]


def read_text(path: str) -> str:
    """The content of a text file; see `decode_text`."""
    with _plain_errors(path), local_copy(path) as copy:
        return decode_text(copy.read_bytes(), path)


@contextmanager
def local_copy(path: str) -> Iterator[Path]:
    """A local file with the content of `path` during the block: a local path itself, or a copy.

    Errors of the block name `path`, never the copy.
    """
    if not is_url(path):
        yield Path(path)
        return
    with tempfile.TemporaryDirectory(prefix="voiceswap-") as folder:
        copy = Path(folder) / (posixpath.basename(path) or "input")
        with _plain_errors(path):
            files, inside = _open(path)
            files.get_file(inside, str(copy))
        try:
            yield copy
        except VoiceswapError as error:
            raise type(error)(str(error).replace(str(copy), path)) from error


def _open(path: str) -> tuple[Any, str]:
    from fsspec.core import url_to_fs

    protocol = path.partition("://")[0]
    if protocol not in PROTOCOLS or "::" in path:
        raise ValueError(f"of URLs, those of {', '.join(PROTOCOLS)} can be read")
    return url_to_fs(path)


def _signature(info: dict) -> FileSignature:
    """The signature in fsspec's info of a file, whose keys depend on the store."""
    times = ("mtime", "LastModified", "last_modified", "updated", "ETag", "etag", "created")
    modified = next((str(info[name]) for name in times if info.get(name)), "")
    return FileSignature(int(info.get("size") or 0), modified)


@contextmanager
def _plain_errors(path: str) -> Iterator[None]:
    """Turn the errors of a store into a VoiceswapError of one sentence."""
    try:
        yield
    except FileNotFoundError as error:
        raise VoiceswapError(f"{path} does not exist.") from error
    except ImportError as error:
        raise VoiceswapError(f"{path} can't be opened: {' '.join(str(error).split())}.") from error
    except VoiceswapError:
        raise
    except Exception as error:  # each store has errors of its own kinds
        reason = " ".join((getattr(error, "strerror", None) or str(error)).split()).rstrip(".")
        raise VoiceswapError(f"{path} can't be opened ({reason}).") from error
