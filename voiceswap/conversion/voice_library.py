"""Voices kept by name: a folder with one safetensors file a voice."""

import os
import re
import unicodedata
from functools import lru_cache
from itertools import chain, count
from pathlib import Path
from threading import RLock
from urllib.parse import unquote

import numpy as np

from voiceswap.conversion.swapper import VoiceSwapper
from voiceswap.conversion.voice import Voice
from voiceswap.errors import VoiceswapError
from voiceswap.files import UNSAFE_NAME, folded_name

SUFFIX = ".safetensors"
CACHED_CODES = 10_000  # of voices, in memory
MAX_NAME_BYTES = 200  # of a file's name; file systems allow 255
# Unicode's categories of characters that can't be seen or written to a disk; some turn the text
# around them.
_UNSEEN = ("Cc", "Cf", "Cn", "Co", "Cs")
_BLANK = "\u115f\u1160\u2800\u3164\uffa0"  # letters and a symbol that look like spaces
_JOINERS = "\u200c\u200d"  # unseen too, but inside words of Persian or Hindi, and inside emoji
_OUTER_JOINERS = re.compile(rf"(?<!\S)[{_JOINERS}]+|[{_JOINERS}]+(?!\S)")
_ESCAPED = re.compile(rf"%|\A\.|{UNSAFE_NAME.pattern}", UNSAFE_NAME.flags)


def make_folder(folder: Path) -> None:
    """Make the folder of a library, if it is missing. Raises VoiceswapError where none can be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise VoiceswapError(
            f"The folder {folder} can't be used for voices ({error.strerror})."
        ) from error


class VoiceLibrary:
    """The voices in a folder. Names are any text; the files' names are safe on every system.

    A voice's file that somebody copies there is a voice too. A call that fails raises
    VoiceswapError and changes nothing. Many threads may share one library.
    """

    def __init__(self, folder: str | os.PathLike, swapper: VoiceSwapper):
        self.folder, self.swapper = Path(folder), swapper
        self._lock = RLock()
        self._code = lru_cache(CACHED_CODES)(self._read_code)
        make_folder(self.folder)

    def names(self) -> list[str]:
        """The names of all voices, sorted."""
        return sorted(self._files(), key=lambda name: (name.casefold(), name))

    def path(self, name: str) -> Path:
        """The file of a voice."""
        try:
            return self._files()[name]
        except KeyError:
            raise VoiceswapError(f"There is no voice '{name}'.") from None

    def voice(self, name: str) -> Voice:
        """A voice by its name."""
        return self.swapper.load_voice(self.path(name))

    def code(self, name: str) -> np.ndarray:
        """A voice's speaker code (code,); its file is read when it is new or has changed."""
        path = self.path(name)
        try:
            now = path.stat()
        except OSError as error:
            raise VoiceswapError(f"There is no voice '{name}'.") from error
        return self._code(path, now.st_mtime_ns, now.st_size)

    def _read_code(self, path: Path, modified: int, size: int) -> np.ndarray:
        return self.swapper.load_voice(path).code.cpu().numpy()

    def add(self, name: str, voice: Voice, numbered: bool = False) -> str:
        """Save a voice. Returns its name, cleaned. Raises VoiceswapError for a name that is taken.

        With `numbered`, the name gets a number where it is taken: "Anna 2".
        """
        with self._lock:
            name = self._numbered(name) if numbered else self.free_name(name)
            self.swapper.save_voice(voice, self._new_path(name))
        return name

    def free_name(self, name: str, besides: str | None = None) -> str:
        """The name, cleaned. Raises VoiceswapError when it is taken, or nothing is left of it.

        The voice `besides` may have that name.
        """
        name = clean_name(name)
        if _look(name) in self._looks(besides):
            raise VoiceswapError(f"There is a voice '{name}' already; choose another name.")
        return name

    def rename(self, name: str, new: str) -> str:
        """Give a voice another name. Returns it, cleaned."""
        with self._lock:
            path = self.path(name)
            new = self.free_name(new, besides=name)
            try:
                os.replace(path, self._new_path(new))
            except OSError as error:
                raise VoiceswapError(
                    f"The voice '{name}' can't be renamed ({error.strerror})."
                ) from error
        return new

    def delete(self, name: str) -> None:
        """Delete a voice and its file."""
        with self._lock:
            try:
                self.path(name).unlink()
            except OSError as error:
                raise VoiceswapError(
                    f"The voice '{name}' can't be deleted ({error.strerror})."
                ) from error

    def _numbered(self, name: str) -> str:
        name, looks = clean_name(name), self._looks()
        tries = (f"{name} {number}" for number in count(2))
        return next(each for each in chain([name], tries) if _look(each) not in looks)

    def _looks(self, besides: str | None = None) -> set[str]:
        return {_look(name) for name in self._files() if name != besides}

    def _files(self) -> dict[str, Path]:
        # By listing, never by joining a name to the folder: no name leads out of it.
        paths = self.folder.glob(f"*{SUFFIX}")
        return {
            unquote(path.name.removesuffix(SUFFIX)): path
            for path in paths
            if not path.name.startswith(".")
        }

    def _new_path(self, name: str) -> Path:
        return self.folder / (file_name(name) + SUFFIX)


def clean_name(name: str) -> str:
    """A name as people see it: composed, with single spaces and nothing invisible.

    Raises VoiceswapError if nothing is left.
    """
    name = unicodedata.normalize("NFC", name)
    name = "".join(" " if c.isspace() or c in _BLANK else c for c in name)
    seen = (c for c in name if c in _JOINERS or unicodedata.category(c) not in _UNSEEN)
    name = " ".join(_OUTER_JOINERS.sub("", "".join(seen)).split())
    if not name:
        raise VoiceswapError("A voice needs a name.")
    if len(file_name(name).encode()) > MAX_NAME_BYTES:
        raise VoiceswapError(f"The name '{name[:20]} ...' is too long; use a shorter one.")
    return name


def file_name(name: str) -> str:
    """A cleaned name with what is unsafe in a file's name written as %XX."""
    return _ESCAPED.sub(lambda match: f"%{ord(match[0]):02X}", name)


def _look(name: str) -> str:
    """What two names that look alike have in common."""
    return folded_name("".join(c for c in name if c not in _JOINERS))
