"""The metadata of an MP3: an ID3v2.4 tag (id3.org), with chapters (ID3v2 Chapter Frame Addendum).

libsndfile writes no chapters, and text in UTF-8 that players take for Latin-1.
"""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from voiceswap.audio_io.cover import Cover
from voiceswap.audio_io.tags import Chapter

FRAMES = {  # the names of the TAGS
    "title": "TIT2",
    "artist": "TPE1",
    "album": "TALB",
    "track": "TRCK",
    "genre": "TCON",
    "date": "TDRC",
    "copyright": "TCOP",
    "album_artist": "TPE2",
    "composer": "TCOM",
    "disc": "TPOS",
}
UTF_8 = b"\3"
NO_OFFSETS = b"\xff" * 8  # of a chapter in bytes: its times count
MOST_LISTED = 255  # chapters, whose number in the table of contents is one byte
TOP_AND_ORDERED = b"\3"
FRONT_COVER = b"\3"


def write_id3(
    path: Path, tags: Mapping[str, str], chapters: Sequence[Chapter], cover: Cover | None
) -> None:
    """Put tags, chapters and a cover before the sound of an MP3, which has none yet.

    Raises OSError.
    """
    frames = [_text(name, tags[tag]) for tag, name in FRAMES.items() if tag in tags]
    if "comment" in tags:
        frames.append(_frame("COMM", UTF_8 + b"eng\0" + tags["comment"].encode()))
    names = [b"chapter-%d\0" % number for number in range(1, len(chapters) + 1)]
    if chapters:
        listed = names[:MOST_LISTED]
        contents = b"contents\0" + TOP_AND_ORDERED + bytes([len(listed)]) + b"".join(listed)
        frames.append(_frame("CTOC", contents))
    for name, chapter in zip(names, chapters, strict=True):
        times = chapter.start.to_bytes(4) + chapter.end.to_bytes(4)
        title = _text("TIT2", chapter.title) if chapter.title else b""
        frames.append(_frame("CHAP", name + times + NO_OFFSETS + title))
    if cover is not None:
        picture = b"\0" + cover.media_type.encode() + b"\0" + FRONT_COVER + b"\0" + cover.data
        frames.append(_frame("APIC", picture))
    body = b"".join(frames)
    tagged = path.with_name(f"{path.name}-tagged")
    try:
        with path.open("rb") as sound, tagged.open("wb") as out:
            out.write(b"ID3\4\0\0" + _size(body) + body)
            shutil.copyfileobj(sound, out)
        tagged.replace(path)
    finally:
        tagged.unlink(missing_ok=True)


def _text(name: str, text: str) -> bytes:
    return _frame(name, UTF_8 + text.encode())


def _frame(name: str, content: bytes) -> bytes:
    return name.encode() + _size(content) + b"\0\0" + content


def _size(content: bytes) -> bytes:
    """Four bytes of seven bits each, as the tag's sizes are."""
    return bytes(len(content) >> shift & 0x7F for shift in (21, 14, 7, 0))
