"""The length that an encoder wrote into the first frame of an MP3, the Xing or Info header."""

from pathlib import Path
from typing import NamedTuple

SEARCHED = 8192  # bytes after a tag in which the first frame begins
RATES = (44100, 48000, 32000)  # Hz, of MPEG 1; MPEG 2 has half of them, MPEG 2.5 a quarter
DIVISORS = {0b11: 1, 0b10: 2, 0b00: 4}  # by the bits of the version
FRAMES, BYTES = 1, 2  # flags: these numbers follow


class XingHeader(NamedTuple):
    """What the header tells: seconds; and whether the file has fewer bytes, as when it was cut off.

    Of several MP3s put together it is the length of the first.
    """

    seconds: float
    cut: bool


def xing_header(path: Path) -> XingHeader | None:
    """The header of an MP3; None where it has none or no length, and for other files."""
    with path.open("rb") as file:
        tag = file.read(10)
        start = 0
        if tag[:3] == b"ID3" and len(tag) == 10:
            size = sum(
                (byte & 0x7F) << shift for byte, shift in zip(tag[6:], (21, 14, 7, 0), strict=True)
            )
            start = 10 + size + (10 if tag[5] & 0x10 else 0)
        file.seek(start)
        data = file.read(SEARCHED)
    at = 0
    while (at := data.find(b"\xff", at)) >= 0 and at + 4 <= len(data):
        version, layer = data[at + 1] >> 3 & 0b11, data[at + 1] >> 1 & 0b11
        rate = data[at + 2] >> 2 & 0b11
        if data[at + 1] < 0xE0 or version not in DIVISORS or layer != 0b01 or rate == 0b11:
            at += 1
            continue
        first, mono = version == 0b11, data[at + 3] >> 6 == 0b11
        side = (17 if mono else 32) if first else (9 if mono else 17)  # bytes before the header
        header = data[at + 4 + side :][:16]
        if header[:4] not in (b"Xing", b"Info") or len(header) < 16 or not header[7] & FRAMES:
            return None
        frames, size = int.from_bytes(header[8:12]), int.from_bytes(header[12:16])
        samples = frames * (1152 if first else 576)
        cut = bool(header[7] & BYTES) and path.stat().st_size < start + at + size
        return XingHeader(samples * DIVISORS[version] / RATES[rate], cut)
    return None
