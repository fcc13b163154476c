"""What visitors give, checked: values that are needed, and recordings of limited length."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from voiceswap.audio_io.decoding import seconds_up_to, sound_info
from voiceswap.errors import AudioError, VoiceswapError
from voiceswap.ui.app_context import AppContext
from voiceswap.ui.texts import Texts, minutes

# Of what is held in memory whole: the two recordings of a swap, and references.
SHORT_SECONDS = 120.0
TOGETHER_SECONDS = 900.0  # of all recordings of one voice
BATCH_SOURCES = 10  # of the longest length, that one batch may convert, over all its voices
T = TypeVar("T")


def require(text: Texts, value: T | None, missing: str) -> T:
    """The value, if there is one; `missing` names the sentence if there is none."""
    if not value:
        raise VoiceswapError(text[missing])
    return value


def require_recording(
    text: Texts, path: str | None, missing: str, seconds: float = SHORT_SECONDS
) -> str:
    """The path of a recording of at most so many seconds.

    `missing` names the sentence if there is none.
    """
    path = require(text, path, missing)
    _length(text, path, seconds)
    return path


def require_recordings(
    text: Texts,
    paths: Iterable[str],
    seconds: float,
    together: float,
    check: Callable[[], None] = lambda: None,
) -> list[str]:
    """The paths, each once, of recordings of at most so many seconds, and all so many `together`.

    `check` is called before each is read.
    """
    distinct, left = list(dict.fromkeys(paths)), together
    for path in distinct:
        check()
        left -= _length(text, path, seconds)
        if left < 0:
            raise AudioError(text["too_long_together"].format(limit=minutes(together)))
    return distinct


def require_references(
    context: AppContext,
    recordings: Sequence[str | None],
    voices: Sequence[str] = (),
    missing: str = "no_target",
) -> list[str | Path]:
    """Recordings and voices of the library, as VoiceSwapper takes them, each once.

    `missing` names the sentence if there is none.
    """
    given = [path for path in recordings if path]
    paths = require_recordings(context.text, given, SHORT_SECONDS, TOGETHER_SECONDS)
    names = dict.fromkeys(voices)
    found: list[str | Path] = [*paths, *(context.library.path(name) for name in names)]
    return require(context.text, found, missing)


def _length(text: Texts, path: str, most: float) -> float:
    """Seconds of sound in a file. Raises AudioError if they are more than `most`."""
    try:
        # The header spares reading a long file, but may have no length, or too short a one.
        length = sound_info(Path(path)).seconds or 0.0
        if length <= most:
            length = seconds_up_to(Path(path), most)
    except AudioError:
        return 0.0  # the library tells what is wrong with it
    if length > most:
        raise AudioError(text["too_long"].format(name=Path(path).name, limit=minutes(most)))
    return length
