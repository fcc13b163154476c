"""Sound files of any kind as blocks of samples: libsndfile's formats, and by FFmpeg all others."""

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from voiceswap.audio_io.endings import TEXT_ENDINGS
from voiceswap.audio_io.ffmpeg import EARLY, FFmpegFile, NotDecodableError
from voiceswap.audio_io.wav_header import wav_seconds
from voiceswap.errors import AudioError
from voiceswap.notes import LossNote, note, notes_to

BLOCK_SECONDS = 16
MAX_BLOCK = 1 << 23  # samples of all channels that are decoded at once
MAX_CHANNELS = 8
MIN_RATE, MAX_RATE = 1000, 384000  # Hz
UNKNOWN = 2**60  # frames: libsndfile's number for a stream of unknown length


@dataclass(frozen=True)
class SoundInfo:
    """What a file's header holds: sample rate in Hz, number of channels, seconds (None: unknown).

    `format` and `subtype` are soundfile's names where libsndfile reads the file; by FFmpeg the
    subtype alone is known, of lossless sound of more than 16 bits.
    """

    rate: int
    channels: int
    seconds: float | None
    format: str = ""
    subtype: str | None = None


def sound_info(path: Path) -> SoundInfo:
    """What a file's header holds. Raises AudioError when no decoder can read it."""
    with _opened(path) as (info, _):
        return info


def decode_file(path: Path, name: str | None = None) -> Iterator[tuple[int, np.ndarray]]:
    """A file's rate in Hz, again and again with the next block (frames, channels), float32.

    Blocks are of at most BLOCK_SECONDS. `name` is what notes call the file, in place of its path,
    as where it is the copy of a pipe. Raises AudioError when the file can't be read, or has more
    channels or another rate than a recording of speech has.
    """
    with _opened(path, name) as (info, blocks):
        for block in blocks:
            yield info.rate, block


def seconds_up_to(path: Path, most: float) -> float:
    """Seconds of sound in a file, counted: a header may have none, or too few.

    Decoding ends soon after `most` seconds, so that a longer file gives less than its length.
    Raises AudioError as `decode_file` does.
    """
    seconds, frames = 0.0, 0
    with notes_to(lambda sentence: None):  # who uses the file notes the same
        for rate, block in decode_file(path):
            frames += len(block)
            seconds = frames / rate
            if seconds > most:
                break
    return seconds


@contextlib.contextmanager
def regular_file(path: Path) -> Iterator[Path]:
    """A file that can be read twice: `path` itself, or what comes out of it where it is a pipe."""
    if not path.is_fifo():
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="voiceswap-") as folder:
        copy = Path(folder) / path.name
        try:
            with path.open("rb") as pipe, copy.open("wb") as file:
                shutil.copyfileobj(pipe, file)
        except OSError as error:
            raise AudioError(f"{path} can't be read ({error.strerror}).") from error
        try:
            yield copy
        except AudioError as error:
            raise AudioError(str(error).replace(str(copy), str(path))) from error


@contextlib.contextmanager
def _opened(
    path: Path, name: str | None = None
) -> Iterator[tuple[SoundInfo, Iterator[np.ndarray]]]:
    require_file(path)
    try:
        with contextlib.ExitStack() as stack:
            info, blocks = _open(path, stack, name or str(path))
            if info.rate <= 0 or info.channels <= 0:
                raise AudioError(f"{path} can't be read as audio (it has no sound in it).")
            if info.channels > MAX_CHANNELS:
                raise AudioError(
                    f"{path} has {info.channels} channels; at most {MAX_CHANNELS} can be read."
                )
            if not MIN_RATE <= info.rate <= MAX_RATE:
                raise AudioError(
                    f"{path} has a sample rate of {info.rate} Hz; {MIN_RATE} to {MAX_RATE} can be "
                    "read."
                )
            yield info, blocks
    except (soundfile.LibsndfileError, OSError) as error:
        told = getattr(error, "strerror", None) or str(error).rpartition(": ")[2]
        raise _unreadable(path, told.rstrip(".")) from error


def _unreadable(path: Path, told: str) -> AudioError:
    """What to do where no decoder knows a file; of most kinds, what a decoder `told`."""
    ending = path.suffix[1:].lower()
    if ending == "safetensors":
        return AudioError(
            f"{path} is no recording; a saved voice has no words, and serves as a target."
        )
    if ending in TEXT_ENDINGS:
        return AudioError(
            f"{path} is text, not a recording; let a text-to-speech program read it into a file "
            "of sound, and convert that."
        )
    return AudioError(f"{path} can't be read as audio ({told}).")


def require_file(path: Path) -> None:
    """Raise AudioError for what is no file, or an empty one."""
    if path.parts[:1] and path.parts[0] in ("http:", "https:"):
        address = path.as_posix().replace(":/", "://", 1)  # a path keeps one slash of several
        raise AudioError(f"{address} is an address; download it first, or use voiceswap batch.")
    if not path.exists():
        raise AudioError(f"{path} does not exist.")
    if path.is_dir():
        raise AudioError(f"{path} is a folder, not a recording; voiceswap batch takes folders.")
    if not path.is_file():
        raise AudioError(f"{path} is no file.")
    if path.stat().st_size == 0:
        raise AudioError(f"{path} is an empty file.")
    if not os.access(path, os.R_OK):
        raise AudioError(f"{path} can't be read ({os.strerror(errno.EACCES)}).")


def _open(
    path: Path, stack: contextlib.ExitStack, name: str
) -> tuple[SoundInfo, Iterator[np.ndarray]]:
    """The file by the decoder that reads all of it.

    libsndfile ends an MP3 where its Xing header does, which is that of the first of several put
    together, and finds nothing in a WAV whose recorder crashed before it wrote the length.
    """
    if _is_mpeg(path):
        try:
            return _by_ffmpeg(path, stack, name)
        except NotDecodableError as unknown:
            if not isinstance(unknown.__cause__, ImportError):  # libmpg123 would print its search
                raise _unreadable(path, "Format not recognised") from None
    try:
        file = stack.enter_context(soundfile.SoundFile(_name(path)))
    except soundfile.LibsndfileError as refused:
        try:
            return _by_ffmpeg(path, stack, name)
        except NotDecodableError as unknown:
            if isinstance(unknown.__cause__, ImportError):
                raise AudioError(
                    f"{path} can't be read as audio ({str(refused).rstrip('.')}); install PyAV "
                    f"with pip install av, or convert it: ffmpeg -i {path.name} {path.stem}.wav."
                ) from refused
            if _is_mp4(path):
                raise AudioError(
                    f"{path} can't be read as audio; if it was cut off, it lacks the index that is "
                    "written last, which the app that recorded it may restore."
                ) from refused
            raise refused from None
    if file.frames == 0:
        with contextlib.suppress(NotDecodableError):
            return _by_ffmpeg(path, stack, name)
    seconds = file.frames / file.samplerate if file.frames < UNKNOWN else None
    info = SoundInfo(file.samplerate, file.channels, seconds, file.format, file.subtype)
    step = min(BLOCK_SECONDS * info.rate, MAX_BLOCK // info.channels)
    blocks = _to_where_it_is_cut(path, stack, name, _soundfile_blocks(file, step))
    return info, _noting_a_cut_wav(path, name, info, blocks)


def _noting_a_cut_wav(
    path: Path, name: str, info: SoundInfo, blocks: Iterator[np.ndarray]
) -> Iterator[np.ndarray]:
    """The blocks; a note after the last, where a WAV's header has a greater length."""
    yield from blocks
    promised, there = wav_seconds(path) or 0.0, info.seconds or 0.0
    if there < promised - EARLY:
        note(LossNote(name, f" ends after {there:.1f} of the {promised:.1f} s it should have."))


def _to_where_it_is_cut(
    path: Path, stack: contextlib.ExitStack, name: str, blocks: Iterator[np.ndarray]
) -> Iterator[np.ndarray]:
    """libsndfile's blocks and, where it gives up as on half a frame of FLAC, the rest by FFmpeg."""
    given = 0
    try:
        for block in blocks:
            yield block
            given += len(block)
    except soundfile.LibsndfileError as cut:
        try:
            rest = _by_ffmpeg(path, stack, name)[1]
        except NotDecodableError:
            raise cut from None
        for block in rest:
            if len(block) > given:
                yield block[given:]
            given = max(0, given - len(block))


def _is_mp4(path: Path) -> bool:
    """Whether a file begins as m4a, mp4 and mov do."""
    with path.open("rb") as file:
        return file.read(8)[4:] == b"ftyp"


def _is_mpeg(path: Path) -> bool:
    """Whether a file begins as MP3 does, with a tag or the eleven bits of a frame, or is named so.

    libsndfile takes every file of that name whose format it does not know for MP3.
    """
    if path.suffix.lower() == ".mp3":
        return True
    with path.open("rb") as file:
        head = file.read(3)
    return head == b"ID3" or (head[:1] == b"\xff" and head[1:2] >= b"\xe0")


def _by_ffmpeg(
    path: Path, stack: contextlib.ExitStack, name: str
) -> tuple[SoundInfo, Iterator[np.ndarray]]:
    file = FFmpegFile(path, stack, name)
    info = SoundInfo(file.rate, file.channels, file.seconds, subtype=file.subtype)
    return info, file.blocks(BLOCK_SECONDS * max(info.rate, 1))


def _name(path: Path) -> str | bytes:
    """A path as libsndfile takes it: a name in another encoding than UTF-8 as bytes."""
    try:
        str(path).encode()
        return str(path)
    except UnicodeEncodeError:
        return os.fsencode(path)


def _soundfile_blocks(file: soundfile.SoundFile, step: int) -> Iterator[np.ndarray]:
    while True:
        block = file.read(step, dtype="float32", always_2d=True)
        if len(block):
            yield block
        if len(block) < step:
            return
