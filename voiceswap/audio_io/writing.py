"""Audio files out: whole or not at all, in blocks."""

import io
import os
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import numpy as np
import soundfile

from voiceswap.audio_io.cover import read_cover
from voiceswap.audio_io.endings import (
    FFMPEG_FORMATS,
    SOUND_ENDINGS,
    VIDEO_ENDINGS,
    libsndfile_format,
)
from voiceswap.audio_io.ffmpeg_writing import FFmpegWriter, require_rate
from voiceswap.audio_io.id3 import write_id3
from voiceswap.audio_io.resampling import BlockResampler, of_length
from voiceswap.audio_io.tags import read_chapters, read_tags
from voiceswap.errors import AudioError
from voiceswap.files import flush_to_disk, raise_write_error, require_writable, whole_file

COMMENT = "Synthetic speech, converted by voiceswap"  # so that a file tells what it is
SOUNDFILE_NAMES = {"track": "tracknumber"}  # of tags, where soundfile has another
PEAK = 0.999  # the greatest magnitude that is written
# libsndfile's own levels are for small files: its Opus of 37 kbit/s loses 3 dB above 4 kHz.
COMPRESSION_LEVELS = {"OPUS": 0.64, "VORBIS": 0.1, "MPEG_LAYER_III": 0.1}  # 0 is the best


def write_audio(
    path: str | os.PathLike,
    samples: np.ndarray,
    sample_rate: int,
    subtype: str | None = None,
    comment: str = COMMENT,
) -> Path:
    """Write `samples` (samples,) in the format of the path's ending, whole or not at all.

    Peaks above full scale are scaled down rather than clipped. `subtype` and `comment` are as
    `AudioWriter` has them. Raises AudioError when it can't be written.
    """
    with AudioWriter(path, sample_rate, subtype=subtype, comment=comment) as writer:
        writer.write(samples / max(1.0, float(np.abs(samples).max(initial=0.0)) / PEAK))
    return Path(path)


def require_format(path: Path) -> None:
    """Raise AudioError for a name whose ending is that of no format that can be written."""
    ending = path.suffix[1:].lower()
    known = libsndfile_format(ending) in soundfile.available_formats() and ending != "raw"
    if known or ending in FFMPEG_FORMATS:
        return
    problem = f"no audio format is known by the ending '{path.suffix}'"
    if ending in SOUND_ENDINGS:
        problem = f"'{path.suffix}' can be read, but not written"
    raise AudioError(f"{path.name}: {problem}; use .wav, .flac, .ogg, .opus, .mp3 or .m4a.")


class AudioWriter:
    """Writes a recording in blocks; the file appears under its name when all is written.

    Its format is that of the path's ending. `rate` is that of the blocks; the file gets
    `file_rate`, if given, and `subtype` as soundfile names it ("PCM_24"). It gets the TAGS of the
    file `source`, its chapters and its cover where the format holds them, and a video its
    pictures, if that is one; without `tags` only these. `comment` goes to the metadata. Leaving
    the context by an exception leaves nothing behind. Raises AudioError.

    Attributes:
        seconds: how long the file has to be, which resampling rounds; None is as long as it comes.
    """

    seconds: float | None = None

    def __init__(
        self,
        path: str | os.PathLike,
        rate: int,
        file_rate: int | None = None,
        subtype: str | None = None,
        source: Path | None = None,
        comment: str = COMMENT,
        tags: bool = True,
    ):
        self.path = Path(path)
        self.ending = ending = self.path.suffix[1:].lower()
        self.tags = {**(read_tags(source) if source and tags else {}), "comment": comment}
        self.chapters = read_chapters(source) if source and tags else []
        self.source = source if tags or ending in VIDEO_ENDINGS else None
        kind, usual = libsndfile_format(ending), "OPUS" if ending == "opus" else None
        require_format(self.path)
        require_writable(self.path, AudioError)
        self.format, self.subtype, self.file_rate = kind, subtype or usual, file_rate or rate
        if self.subtype and not soundfile.check_format(kind, self.subtype):
            raise AudioError(f"{self.path.name}: the format {kind} has no subtype {self.subtype}.")
        self.resampler, self._written = BlockResampler(rate, self.file_rate), 0
        # libsndfile rounds down, but in flac: in 8 bits, what is just below zero would be noise of
        # -42 dB.
        rounds_down = self.subtype in ("PCM_U8", "PCM_S8") and kind != "FLAC"
        self._half_step = 0.5 / 128 if rounds_down else 0.0
        with self._explained():  # before hours are converted for a rate that the format can't hold
            if ending in FFMPEG_FORMATS:
                require_rate(ending, self.file_rate)
            else:
                self._sound_file(io.BytesIO()).close()

    def __enter__(self) -> "AudioWriter":
        with ExitStack() as stack, self._explained():
            self.temporary = stack.enter_context(whole_file(self.path, AudioError))
            self.file = self._open()
            self._whole = stack.pop_all()
        return self

    def _open(self) -> "soundfile.SoundFile | FFmpegWriter":
        if self.ending in FFMPEG_FORMATS:
            known = self.tags, self.chapters, self.source
            return FFmpegWriter(self.temporary, self.ending, self.file_rate, *known)
        return self._sound_file(self.temporary)

    def _sound_file(self, file: Path | io.BytesIO) -> soundfile.SoundFile:
        subtype = self.subtype or soundfile.default_subtype(self.format)
        opened = soundfile.SoundFile(
            *(file, "w", self.file_rate, 1, subtype),
            format=self.format,
            compression_level=COMPRESSION_LEVELS.get(subtype),
        )
        for name, text in self.tags.items() if self.format != "MP3" else ():  # see `write_id3`
            with suppress(soundfile.LibsndfileError):  # not every format can hold them
                setattr(opened, SOUNDFILE_NAMES.get(name, name), text)
        return opened

    def write(self, samples: np.ndarray) -> None:
        """Add samples (samples,) with full scale at 1.0."""
        self._write(self.resampler.push(samples))

    def _write(self, samples: np.ndarray, last: bool = False) -> None:
        if self.seconds is not None:
            lacking = round(self.seconds * self.file_rate) - self._written
            samples = of_length(samples, lacking) if last else samples[:lacking]
        if self._half_step:
            samples = samples + np.float32(self._half_step)
        self._written += len(samples)
        with self._explained():
            self.file.write(samples)

    def __exit__(self, kind, error, trace) -> None:
        with self._whole:
            with self._explained():
                if kind is None:
                    self._write(self.resampler.flush(), last=True)
                self.file.__exit__(kind, error, trace)
                if self.format == "MP3" and kind is None:
                    cover = read_cover(self.source) if self.source else None
                    write_id3(self.temporary, self.tags, self.chapters, cover)
            if error is not None:
                raise error
            flush_to_disk(self.temporary)

    @contextmanager
    def _explained(self):
        try:
            yield
        except (soundfile.LibsndfileError, OSError, ValueError) as error:
            raise_write_error(self.path, error, AudioError)
