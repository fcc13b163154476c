"""The cover of an album or an audiobook, which some formats hold beside the sound."""

from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, NamedTuple

from voiceswap.audio_io.ffmpeg import NotDecodableError, open_container

MEDIA_TYPES = {"mjpeg": "image/jpeg", "png": "image/png"}  # by FFmpeg's name of the codec
LARGEST = 2**24  # bytes


class Cover(NamedTuple):
    """A picture as it is in the file `source`."""

    media_type: str
    data: bytes
    source: Path


def read_cover(path: Path) -> Cover | None:
    """The cover that a file has, if it is a JPEG or PNG."""
    import av

    with ExitStack() as stack, suppress(NotDecodableError, av.FFmpegError):
        container = open_container(path, stack)
        track = _track(container)
        if track is not None:
            data = bytes(next(container.demux(track)))
            if 0 < len(data) <= LARGEST:
                return Cover(MEDIA_TYPES[track.codec_context.name], data, path)
    return None


def _track(container: Any) -> Any | None:
    """The stream of PyAV's container that is its cover."""
    from av.stream import Disposition

    for track in container.streams.video:
        codec = track.codec_context
        known = codec is not None and codec.name in MEDIA_TYPES and codec.width and codec.height
        if known and track.disposition & Disposition.attached_pic:
            return track
    return None


def add_cover(container: Any, cover: Cover) -> Any:
    """Give PyAV's container a cover, before it is written; the packet to write first."""
    import av
    from av.stream import Disposition

    with ExitStack() as stack:
        source = open_container(cover.source, stack)
        track = container.add_stream_from_template(_track(source), opaque=True)
    track.disposition = Disposition.attached_pic
    packet = av.Packet(cover.data)
    packet.stream, packet.pts, packet.dts = track, 0, 0
    return packet
