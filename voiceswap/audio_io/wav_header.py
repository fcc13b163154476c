"""The length that a WAV's header has, which libsndfile replaces by that of what is there."""

import struct
from pathlib import Path

UNKNOWN_BYTES = 0x7FFFF000  # and above: what programs write that don't know the length yet


def wav_seconds(path: Path) -> float | None:
    """Seconds by the header of a RIFF file; None where it has no length, and for other files."""
    with path.open("rb") as file:
        if file.read(4) != b"RIFF":
            return None
        file.seek(12)
        bytes_per_second = 0
        while len(head := file.read(8)) == 8:
            kind, size = struct.unpack("<4sI", head)
            if kind == b"data":
                known = bytes_per_second and 0 < size < UNKNOWN_BYTES
                return size / bytes_per_second if known else None
            if kind == b"fmt " and size >= 16:
                bytes_per_second = struct.unpack("<8xI", file.read(12))[0]
                size -= 12
            file.seek(size + size % 2, 1)
    return None
