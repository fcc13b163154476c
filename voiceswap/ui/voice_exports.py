"""Copies of the library's voices, for visitors to fetch."""

import os
import shutil
from contextlib import suppress
from pathlib import Path
from threading import Lock

from voiceswap.conversion.voice_library import VoiceLibrary, file_name
from voiceswap.errors import VoiceswapError
from voiceswap.files import whole_file
from voiceswap.ui.result_files import new_file


class VoiceExports:
    """One copy of each voice that was asked for, at a random address. Serves many threads.

    Copies of voices that have gone go with the next one: renaming can't fill the disk.
    """

    def __init__(self, library: VoiceLibrary):
        self._library = library
        self._copies: dict[str, tuple[int, Path]] = {}  # with the original's time of change
        self._lock = Lock()

    def file(self, name: str) -> Path:
        """The copy of a voice as it is now; a new one where there is none.

        Raises VoiceswapError when there is no such voice, or it is damaged.
        """
        library = self._library
        library.code(name)  # reads the file, if it is new
        with self._lock:
            try:
                original = library.path(name)
                changed = original.stat().st_mtime_ns
            except OSError as error:
                raise VoiceswapError(f"There is no voice '{name}'.") from error
            known, copy = self._copies.get(name, (None, Path()))
            if known == changed and copy.exists():
                os.utime(copy)  # another hour until it is removed
                return copy
            self._forget(name)
            copy = new_file(f"{file_name(name)}.safetensors")
            with whole_file(copy) as temporary:
                shutil.copyfile(original, temporary)
            self._copies[name] = changed, copy
            return copy

    def _forget(self, name: str) -> None:
        """Remove the copy of a voice, and those of voices that the library does not have."""
        known = set(self._library.names()) - {name}
        for other in self._copies.keys() - known:
            with suppress(OSError):  # somebody may be fetching it: then the cleaner removes it
                self._copies.pop(other)[1].unlink()
