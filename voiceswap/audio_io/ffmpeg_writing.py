"""Phone memos and videos out, by FFmpeg, which PyAV's packages carry."""

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from voiceswap.audio_io.cover import add_cover, read_cover
from voiceswap.audio_io.endings import FFMPEG_FORMATS, VIDEO_ENDINGS
from voiceswap.audio_io.ffmpeg import NotDecodableError, open_container
from voiceswap.audio_io.tags import Chapter, set_chapters
from voiceswap.errors import AudioError

BIT_RATE = 96_000  # of one channel
TRACK_TAGS = ("language", "title")
COVERED = ("m4a", "m4b")  # endings of formats that hold a cover


def wav_or_video(source: Path) -> str:
    """The ending of a result: that of a video, or mkv where it holds other pictures, else wav."""
    own = source.suffix[1:].lower()
    if own in VIDEO_ENDINGS and source.is_file():
        with ExitStack() as stack, suppress(NotDecodableError):
            video = _pictures(open_container(source, stack))
            if video is not None:
                return next((ending for ending in (own, "mkv") if _holds(ending, video)), "wav")
    return "wav"


def _holds(ending: str, track: Any) -> bool:
    """Whether the format of an ending can hold a track of pictures or subtitles."""
    import av

    try:
        with av.open(io.BytesIO(), "w", format=FFMPEG_FORMATS[ending][0]) as out:
            out.add_stream_from_template(track, opaque=True)
            out.start_encoding()
    except (av.FFmpegError, ValueError):
        return False
    return True


def require_rate(ending: str, rate: int) -> None:
    """Raise AudioError for a rate in Hz that the format of an ending can't hold."""
    import av

    rates = av.Codec(FFMPEG_FORMATS[ending][1], "w").audio_rates or ()
    if rate not in rates:
        known = ", ".join(map(str, sorted(rates)))
        raise AudioError(f"{ending} can't hold {rate} Hz; it takes {known}.")


class FFmpegWriter:
    """Writes a sound track, and beside it the pictures and subtitles of another file.

    The sound begins when that of the other file does, so that lips and words stay together.

    Args:
        out: the file to write.
        ending: of its final name, which sets the format.
        rate: Hz.
        tags, chapters: of the file's metadata.
        source: a file whose pictures a video gets as they are, if it has any, and those of its
            subtitles that the format can hold; m4a and m4b get its cover.

    Raises:
        AudioError: the format does not hold the pictures of `source`.
    """

    def __init__(
        self,
        out: Path,
        ending: str,
        rate: int,
        tags: Mapping[str, str],
        chapters: Sequence[Chapter],
        source: Path | None,
    ):
        import av

        self._errors, self._rate, self._written = (av.FFmpegError,), rate, 0
        kind, codec = FFMPEG_FORMATS[ending]
        with ExitStack() as stack, self._explained():
            self._packets: Iterator[Any] = iter(())  # of pictures and subtitles
            self._copies: dict[int, Any] = {}  # their tracks, by those of the source
            # Without its date and random numbers, so that the same sound gives the same bytes.
            options = {"fflags": "+bitexact"}
            cover = read_cover(source) if source is not None and ending in COVERED else None
            if cover is not None:  # of which FFmpeg's "ipod", the same format, knows nothing
                kind, options["brand"] = "mp4", "M4A "
            self._out = stack.enter_context(av.open(str(out), "w", format=kind, options=options))
            self._out.metadata.update(tags)
            set_chapters(self._out, chapters)
            track: Any = self._out.add_stream(codec, rate=rate, layout="mono")
            track.bit_rate, self._track = BIT_RATE, track
            if cover is not None:
                self._out.mux(add_cover(self._out, cover))
            if source is not None and ending in VIDEO_ENDINGS:
                self._take_tracks(source, ending, stack)
            self._next = next(self._packets, None)
            self._stack = stack.pop_all()

    def _take_tracks(self, source: Path, ending: str, stack: ExitStack) -> None:
        try:
            container = open_container(source, stack)
        except NotDecodableError:
            return  # a format of libsndfile, which has no pictures
        video = _pictures(container)
        if video is None:
            return
        subtitles = [track for track in container.streams.subtitles if _holds(ending, track)]
        try:
            for track in (video, *subtitles):
                copy = self._out.add_stream_from_template(track, opaque=True)
                _take_tags(copy, track)
                copy.disposition = track.disposition
                self._copies[track.index] = copy
            for audio in container.streams.audio[:1]:
                _take_tags(self._track, audio)
            self._out.start_encoding()
        except (*self._errors, ValueError) as error:
            raise AudioError(
                f".{ending} can't hold the pictures of {source}; use .mkv, or .wav for the sound "
                "alone."
            ) from error
        for audio in container.streams.audio[:1]:
            if audio.start_time and audio.time_base:
                self._written = max(0, round(audio.start_time * audio.time_base * self._rate))
        self._packets = _with_decoding_times(container.demux(video, *subtitles))

    def write(self, samples: np.ndarray) -> None:
        """Add samples (samples,) with full scale at 1.0."""
        import av

        if not len(samples):
            return
        wave = samples[None].astype(np.float32)
        with self._explained():
            frame = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
            frame.sample_rate, frame.time_base = self._rate, Fraction(1, self._rate)
            frame.pts = self._written
            self._written += len(samples)
            self._mux_copies(self._written / self._rate)
            self._out.mux(self._track.encode(frame))

    def __exit__(self, kind, error, trace) -> None:
        """Write what is left of the sound and the pictures, unless there was an error; close."""
        with self._explained(), self._stack:
            if kind is None:
                self._out.mux(self._track.encode(None))
                self._mux_copies(float("inf"))

    def _mux_copies(self, until: float) -> None:
        """Write the pictures up to so many seconds, since players read all side by side.

        Subtitles, which are small, may be earlier in the source.
        """
        while (packet := self._next) is not None:
            is_picture = packet.stream.type == "video"
            if is_picture and packet.dts * packet.time_base > until:
                return
            packet.stream = self._copies[packet.stream.index]
            self._out.mux(packet)
            self._next = next(self._packets, None)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """What FFmpeg refuses as an OSError, as of every other file."""
        try:
            yield
        except self._errors as error:
            raise OSError(error.errno, error.strerror) from error


def _with_decoding_times(packets: Iterator[Any]) -> Iterator[Any]:
    """Packets, each with a decoding time: Matroska has none for the first of reordered pictures."""
    waiting: list[Any] = []
    subtitled: dict[int, int] = {}  # until when, by track
    for packet in packets:
        if not packet.size:
            continue  # PyAV's mark of the end
        if packet.stream.type == "subtitle":
            # A format takes none without a time, or before another of its track.
            if packet.pts is not None and packet.pts >= subtitled.get(
                packet.stream_index, packet.pts
            ):
                packet.dts = subtitled[packet.stream_index] = packet.pts
                yield packet
            continue
        waiting.append(packet)
        if packet.dts is not None:
            for number, earlier in enumerate(reversed(waiting)):
                earlier.dts = packet.dts - number * max(1, packet.duration or 1)
            yield from waiting
            waiting = []
    for packet in waiting:
        packet.dts = packet.pts or 0  # a format without times
        yield packet


def _take_tags(track: Any, source: Any) -> None:
    """Give a track the TRACK_TAGS of another."""
    track.metadata.update({k: v for k, v in source.metadata.items() if k in TRACK_TAGS})


def _pictures(container: Any) -> Any | None:
    """The first stream of pictures, if there is one besides an album's cover."""
    from av.stream import Disposition

    moving = (v for v in container.streams.video if not v.disposition & Disposition.attached_pic)
    return next(moving, None)
