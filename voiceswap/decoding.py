"""Sound files of any kind as blocks of samples: libsndfile's formats, and by FFmpeg all others."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from voiceswap.errors import AudioError

BLOCK_SECONDS = 16
MAX_BLOCK = 1 << 23  # samples of all channels that are decoded at once
MAX_CHANNELS = 8
MIN_RATE, MAX_RATE = 1000, 384000  # Hz
UNKNOWN = 2**60  # frames: libsndfile's number for a stream of unknown length


@dataclass(frozen=True)
class SoundInfo:
    """What a file's header says: sample rate in Hz, number of channels, seconds (None: unknown).

    `format` and `subtype` are soundfile's names where libsndfile reads the file.
    """

    rate: int
    channels: int
    seconds: float | None
    format: str = ""
    subtype: str | None = None


def sound_info(path: Path) -> SoundInfo:
    """What a file's header says. Raises AudioError when no decoder can read it."""
    try:
        known = soundfile.info(_name(path))
    except (soundfile.LibsndfileError, OSError):
        with _opened(path) as (info, _):
            return info
    seconds = known.frames / known.samplerate if known.frames < UNKNOWN else None
    return SoundInfo(known.samplerate, known.channels, seconds, known.format, known.subtype)


def decode(path: Path) -> Iterator[tuple[int, np.ndarray]]:
    """A file's rate in Hz, again and again with the next block (frames, channels), float32.

    Blocks are of at most BLOCK_SECONDS. Raises AudioError when the file can't be read, has more
    channels or another rate than a recording of speech has, or ends in the middle of its data.
    """
    with _opened(path) as (info, blocks):
        for block in blocks:
            yield info.rate, block


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[tuple[SoundInfo, Iterator[np.ndarray]]]:
    try:
        with contextlib.ExitStack() as stack:
            try:
                file = stack.enter_context(soundfile.SoundFile(_name(path)))
            except soundfile.LibsndfileError as error:
                info, blocks = _open_by_ffmpeg(path, stack, error)
            else:
                info = SoundInfo(file.samplerate, file.channels, None)
                step = min(BLOCK_SECONDS * info.rate, MAX_BLOCK // info.channels)
                blocks = _soundfile_blocks(file, step)
            _check(info, path)
            yield info, blocks
    except (soundfile.LibsndfileError, OSError) as error:
        reason = str(error).rstrip(".").rpartition(": ")[2]
        raise AudioError(f"{path} can't be read as audio ({reason}).") from error


def _name(path: Path) -> str | bytes:
    """A path as libsndfile takes it: a name in another encoding than UTF-8 as bytes."""
    try:
        str(path).encode()
        return str(path)
    except UnicodeEncodeError:
        return os.fsencode(path)


def _check(info: SoundInfo, path: Path) -> None:
    if info.channels > MAX_CHANNELS:
        raise AudioError(
            f"{path} has {info.channels} channels; at most {MAX_CHANNELS} can be read."
        )
    if not MIN_RATE <= info.rate <= MAX_RATE:
        raise AudioError(
            f"{path} has a sample rate of {info.rate} Hz; {MIN_RATE} to {MAX_RATE} can be read."
        )


def _soundfile_blocks(file: soundfile.SoundFile, step: int) -> Iterator[np.ndarray]:
    while True:
        block = file.read(step, dtype="float32", always_2d=True)
        if len(block):
            yield block
        if len(block) < step:
            return


def _open_by_ffmpeg(
    path: Path, stack: contextlib.ExitStack, refused: soundfile.LibsndfileError
) -> tuple[SoundInfo, Iterator[np.ndarray]]:
    """The first sound track of a file, by PyAV, whose packages carry FFmpeg."""
    try:
        import av
    except ImportError:
        raise AudioError(
            f"{path} can't be read as audio ({str(refused).rstrip('.')}); install PyAV with pip "
            f"install av, or convert it: ffmpeg -i {path.name} {path.stem}.wav."
        ) from refused
    try:
        stream = stack.enter_context(path.open("rb"))
        container = stack.enter_context(av.open(stream, "r"))
    except (av.FFmpegError, ValueError):
        raise refused from None
    if not container.streams.audio:
        raise AudioError(f"{path} has no sound track.")
    track = container.streams.audio[0]
    seconds = None
    if track.duration and track.time_base:
        seconds = float(track.duration * track.time_base)
    rate = track.codec_context.sample_rate
    info = SoundInfo(rate, track.codec_context.channels, seconds)

    def blocks() -> Iterator[np.ndarray]:
        resampler = av.AudioResampler(format="fltp", rate=rate)
        waiting: list[np.ndarray] = []
        try:
            for frame in container.decode(track):
                waiting += [part.to_ndarray().T for part in resampler.resample(frame)]
                if sum(map(len, waiting)) >= BLOCK_SECONDS * rate:
                    yield np.concatenate(waiting)
                    waiting = []
            waiting += [part.to_ndarray().T for part in resampler.resample(None)]
        except av.FFmpegError as error:
            raise AudioError(f"{path} is damaged: it can't be decoded to its end.") from error
        if waiting:
            yield np.concatenate(waiting)

    return info, blocks()
