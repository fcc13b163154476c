"""Sound files by FFmpeg, which PyAV's packages carry."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from voiceswap.audio_io.mp3_header import xing_header
from voiceswap.audio_io.timeline import TIMED, Timeline
from voiceswap.errors import AudioError
from voiceswap.notes import LossNote, note

LOST_SECONDS = 0.1  # of damage that goes without saying
EARLY = 0.5  # seconds before the end that the header promises
GUESSED = ("aac", "loas", "eac3")  # formats without a length: FFmpeg tells one by the first frames
LOSSLESS = ("alac", "flac", "wavpack", "tta", "ape", "tak")
FINE = {"s32": "PCM_24", "flt": "FLOAT", "dbl": "DOUBLE"}  # FFmpeg's sample formats
# Phones leave out silence in AMR, which FFmpeg's own decoders take for damage; OpenCORE's fill it.
DECODERS = {"amrnb": "libopencore_amrnb", "amrwb": "libopencore_amrwb"}


class NotDecodableError(Exception):
    """FFmpeg does not know such a file."""


def open_container(path: Path, stack: ExitStack) -> Any:
    """PyAV's container of a file. Raises NotDecodableError."""
    try:
        import av
    except ImportError as error:
        raise NotDecodableError from error
    stream = stack.enter_context(path.open("rb"))
    try:
        # No protocols: a playlist would open other files, and addresses in the network. Tags of
        # old files may not be UTF-8.
        options = {"protocol_whitelist": "none"}
        return stack.enter_context(av.open(stream, "r", options=options, metadata_errors="replace"))
    except (av.FFmpegError, ValueError) as error:
        raise NotDecodableError from error


class FFmpegFile:
    """The first sound track of a file.

    Raises NotDecodableError for a file that FFmpeg does not know or PyAV is missing for, and
    AudioError for one without sound.

    Attributes:
        rate: Hz.
        channels: their number.
        seconds: by the header; None if it has no length.
        subtype: as soundfile names it, of lossless sound of more than 16 bits; None of all else.
    """

    def __init__(self, path: Path, stack: ExitStack, name: str):
        """Open `path`, which notes call `name`."""
        self._container = open_container(path, stack)
        import av

        self.path, self.name, self._errors = path, name, av.FFmpegError
        if not self._container.streams.audio:
            raise AudioError(f"{path} has no sound track.")
        self._track = self._container.streams.audio[0]
        codec = self._track.codec_context
        if codec is None:
            raise NotDecodableError
        self.rate, self.channels, self._layout = codec.sample_rate, codec.channels, codec.layout
        self._decoder = _decoder(codec)
        self.seconds = self._header_seconds(av.time_base)
        lossless = codec.name in LOSSLESS or codec.name.startswith("pcm_")
        # A damaged file may have no format.
        known = codec.format.name.removesuffix("p") if codec.format else ""
        self.subtype = FINE.get(known) if lossless else None

    def _header_seconds(self, unit: int) -> float | None:
        kind, track = self._container.format.name, self._track
        if kind == "mp3":  # without this header, FFmpeg's length is a guess
            header = xing_header(self.path)
            return header.seconds if header else None
        if kind in GUESSED:
            return None
        if track.duration and track.time_base:
            return float(track.duration * track.time_base)
        if self._container.duration and len(self._container.streams) == 1:
            return self._container.duration / unit
        return None

    def blocks(self, most: int) -> Iterator[np.ndarray]:
        """Samples (frames, channels), float32, of about `most` frames at a time.

        Damaged places are skipped. What is missing for them, and at the end, is a note.
        """
        waiting: list[np.ndarray] = []
        total = 0
        for part in self._parts():
            waiting.append(part)
            total += len(part)
            if sum(map(len, waiting)) >= most:
                yield np.concatenate(waiting)
                waiting = []
        if waiting:
            yield np.concatenate(waiting)
        self._note_end(total / self.rate)

    def _parts(self) -> Iterator[np.ndarray]:
        import av

        resampler: av.AudioResampler | None = None
        kind, damaged, lost = None, 0, 0.0
        timeline = Timeline(self.rate, self.channels, self.seconds)
        timed = self._container.format.name in TIMED
        for packet in self._packets():
            try:
                frames = self._decoder.decode(packet)
            except self._errors:
                damaged += 1
                lost += float(packet.duration * packet.time_base) if packet.duration else 0.0
                continue
            for frame in frames:
                # Files put together may change their kind.
                if resampler is None or kind != (frame.sample_rate, frame.layout.name):
                    yield from _arrays(resampler.resample(None) if resampler else [])
                    resampler = av.AudioResampler("fltp", self._layout, self.rate)
                    kind = frame.sample_rate, frame.layout.name
                time = frame.time if timed else None
                for part in _arrays(resampler.resample(frame)):
                    yield from timeline.placed(time, part)
                    time = None
        yield from _arrays(resampler.resample(None) if resampler else [])
        if damaged and resampler is None:
            raise AudioError(f"{self.path} can't be read as audio (nothing in it can be decoded).")
        if lost > LOST_SECONDS:
            note(LossNote(self.name, f": {lost:.1f} s of it are damaged and lost."))

    def _packets(self) -> Iterator[Any]:
        try:
            yield from self._container.demux(self._track)
        except self._errors as error:
            raise AudioError(f"{self.path} is damaged: it can't be decoded to its end.") from error

    def _note_end(self, seconds: float) -> None:
        promised = self.seconds or 0.0
        if self._container.format.name == "mp3":  # an editor may have kept the old header
            header = xing_header(self.path)
            promised = header.seconds if header and header.cut else 0.0
        if seconds < promised - EARLY:
            ends = f" ends after {seconds:.1f} of the {promised:.1f} s it should have."
            note(LossNote(self.name, ends))


def _decoder(codec: Any) -> Any:
    """The context that decodes a track: the one that FFmpeg opened, or one that reads more."""
    import av

    name = DECODERS.get(codec.name)
    if name not in av.codecs_available:
        return codec
    decoder: Any = av.Codec(name, "r").create()
    decoder.sample_rate, decoder.layout = codec.sample_rate, codec.layout
    return decoder


def _arrays(frames: list) -> Iterator[np.ndarray]:
    for frame in frames:
        yield frame.to_ndarray().T
