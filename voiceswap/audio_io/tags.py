"""What the metadata of a file tells of what is in it."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from voiceswap.audio_io.ffmpeg import NotDecodableError, open_container

# FFmpeg's names. Others tell of the file, or of the place and the device of a recording.
TAGS = (
    *("title", "artist", "album", "track", "genre", "date", "copyright"),
    *("album_artist", "composer", "disc"),  # an audiobook's author, its narrator
)
LONGEST = 1000  # characters of a tag; a damaged file may have any number
MOST_CHAPTERS, LATEST = 10_000, 2**32 - 1  # ms, which MP3 holds; for damaged files, too
MILLISECOND = Fraction(1, 1000)


@dataclass(frozen=True)
class Chapter:
    """A chapter of a recording: from where to where in milliseconds, and its title."""

    start: int
    end: int
    title: str


def read_tags(path: Path) -> dict[str, str]:
    """The TAGS that a file has, by name."""
    with ExitStack() as stack, suppress(NotDecodableError):
        return tags_of(open_container(path, stack))
    return {}


def tags_of(container: Any) -> dict[str, str]:
    """The TAGS of PyAV's container, which some formats keep with their first sound track."""
    found = [*(track.metadata for track in container.streams.audio[:1]), container.metadata]
    known = {name.lower(): text for tags in found for name, text in tags.items()}
    return {name: known[name][:LONGEST] for name in TAGS if known.get(name)}


def read_chapters(path: Path) -> list[Chapter]:
    """The chapters that a file has, as an audiobook in one file."""
    with ExitStack() as stack, suppress(NotDecodableError):
        found = map(_chapter, open_container(path, stack).chapters()[:MOST_CHAPTERS])
        return [each for each in found if 0 <= each.start < each.end <= LATEST]
    return []


def _chapter(found: Mapping[str, Any]) -> Chapter:
    """Of PyAV's."""
    unit = found["time_base"] / MILLISECOND
    title = found["metadata"].get("title", "")[:LONGEST]
    return Chapter(round(found["start"] * unit), round(found["end"] * unit), title)


def set_chapters(container: Any, chapters: Sequence[Chapter]) -> None:
    """Give PyAV's container chapters, before it is written."""
    container.set_chapters(
        [
            {
                "id": number,
                "start": each.start,
                "end": each.end,
                "time_base": MILLISECOND,
                "metadata": {"title": each.title},
            }
            for number, each in enumerate(chapters)
        ]
    )
