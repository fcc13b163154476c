"""What the metadata of a file tells of what is in it."""

from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from voiceswap.audio_io.ffmpeg import NotDecodableError, open_container

# FFmpeg's names. Others tell of the file, or of the place and the device of a recording.
TAGS = ("title", "artist", "album", "track", "genre", "date", "copyright")
LONGEST = 1000  # characters of a tag; a damaged file may have any number


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
