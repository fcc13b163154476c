"""The only place that knows where inputs lie: local paths stay plain, URLs such as s3://bucket/talks go through fsspec."""

import errno
import glob
import os
import posixpath
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voiceswap.errors import VoiceswapError


@dataclass(frozen=True, slots=True)
class FileSignature:
    """What tells whether a file has changed, without reading it."""

    size: int
    modified: str  # nanoseconds for a local file; whatever the store keeps for another


def is_url(path: str) -> bool:
    """Whether `path` is fsspec's to open."""
    return "://" in path


def absolute(path: str) -> str:
    """The same place from any working folder, always spelt the same."""
    if not is_url(path):
        return os.path.abspath(path)
    with _sentences(path):
        files, inside = _open(path)
        return files.unstrip_protocol(inside)


def is_folder(path: str) -> bool:
    """Whether `path` holds files."""
    if not is_url(path):
        return os.path.isdir(path)
    with _sentences(path):
        files, inside = _open(path)
        return files.isdir(inside)


def exists(path: str) -> bool:
    """Whether there is a file or folder `path`."""
    if not is_url(path):
        return os.path.lexists(path)
    with _sentences(path):
        files, inside = _open(path)
        return files.exists(inside)


def signature(path: str) -> FileSignature:
    """Size and time of a file. Raises VoiceswapError when there is none."""
    with _sentences(path):
        if not is_url(path):
            facts = os.stat(path)
            return FileSignature(facts.st_size, str(facts.st_mtime_ns))
        files, inside = _open(path)
        return _signature(files.info(inside))


def walk(folder: str, skip: str) -> Iterator[tuple[str, str]]:
    """The paths of all files in a folder and below, with their names from there; sorted, without hidden ones.

    The folder `skip` is left out: outputs among the inputs are not inputs. A folder that can't be listed comes as a
    file would.
    """
    if is_url(folder):
        with _sentences(folder):
            files, inside = _open(folder)
            found = [
                (files.unstrip_protocol(path), _below(inside, path))
                for path in sorted(files.find(inside))
            ]
        yield from (
            (path, name)
            for path, name in found
            if not any(part.startswith(".") for part in name.split("/"))
        )
        return

    def down(place: str, name: str, above: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        real = os.path.realpath(place)
        if real == os.path.realpath(skip) or real in above:  # links may lead back up
            return
        try:
            children = sorted(os.scandir(place), key=lambda child: child.name)
        except OSError:
            yield place, name
            return
        for child in children:
            below = f"{name}/{child.name}" if name else child.name
            if child.name.startswith("."):
                continue
            if os.path.isdir(child):
                yield from down(child.path, below, (*above, real))
            elif (
                os.path.isfile(child) or child.is_symlink()
            ):  # a link to nothing is a file that is missing
                yield child.path, below

    yield from down(folder, "", ())


def matching(pattern: str, skip: str) -> Iterator[tuple[str, str]]:
    """The paths that match a glob (`**` too), sorted, with their names from the last folder that has no wildcard.

    Without those in the folder `skip`. A file that several links lead to comes once, by the shortest path.
    """
    parts = pattern.split("/")
    root = "/".join(parts[: next(i for i, part in enumerate(parts) if glob.has_magic(part))])
    if is_url(pattern):
        with _sentences(pattern):
            files, inside = _open(pattern)
            top = _open(root)[1]
            found = [
                (files.unstrip_protocol(path), _below(top, path))
                for path in sorted(files.glob(inside))
            ]
        yield from found
        return
    chosen: dict[str, str] = {}
    for path in sorted(
        filter(os.path.isfile, glob.glob(pattern, recursive=True)),
        key=lambda path: (path.count(os.sep), path),
    ):
        real = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
        if not Path(real).is_relative_to(os.path.realpath(skip)):
            chosen.setdefault(real, path)
    yield from ((path, _below(root, path)) for path in sorted(chosen.values()))


def _below(top: str, path: str) -> str:
    """The part of a path below a folder, with slashes."""
    path, top = path.replace(os.sep, "/"), f"{top.replace(os.sep, '/').rstrip('/')}/"
    return (
        path[len(top) :]
        if path.startswith(top)
        else path
        if top == "/"
        else posixpath.basename(path)
    )


def read_text(path: str) -> str:
    """A text file's content."""
    import fsspec

    with _sentences(path), fsspec.open(path, "rb") as file:
        try:
            return file.read().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise VoiceswapError(f"{path} is not a text in UTF-8.") from error


@contextmanager
def local_copy(path: str) -> Iterator[Path]:
    """A local file with the content of `path`, for as long as the block runs: itself, if it is local."""
    if not is_url(path):
        yield Path(path)
        return
    with tempfile.TemporaryDirectory(prefix="voiceswap-") as folder:
        copy = Path(folder) / (posixpath.basename(path) or "input")
        with _sentences(path):
            files, inside = _open(path)
            files.get_file(inside, str(copy))
        yield copy


def disk_is_full(error: BaseException | None) -> bool:
    """Whether an error, or one that it came from, is a full disk."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        error = error.__cause__ or error.__context__
    return False


def _open(path: str) -> tuple[Any, str]:
    from fsspec.core import url_to_fs

    return url_to_fs(path)


def _signature(facts: dict) -> FileSignature:
    times = ("mtime", "LastModified", "last_modified", "updated", "ETag", "etag", "created")
    return FileSignature(
        int(facts.get("size") or 0),
        next((str(facts[name]) for name in times if facts.get(name)), ""),
    )


@contextmanager
def _sentences(path: str) -> Iterator[None]:
    """Turns what a store raises into one sentence."""
    try:
        yield
    except FileNotFoundError as error:
        raise VoiceswapError(f"{path} does not exist.") from error
    except ImportError as error:
        raise VoiceswapError(f"{path} can't be opened: {' '.join(str(error).split())}.") from error
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise VoiceswapError(
            f"{path} can't be opened ({' '.join(why.split()).rstrip('.')})."
        ) from error
