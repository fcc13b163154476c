"""Conversion from file to file, in batches."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voiceswap.audio import AudioStream
from voiceswap.audio_io.checks import shortest_source
from voiceswap.audio_io.subtypes import fine_subtype
from voiceswap.audio_io.writing import AudioWriter
from voiceswap.conversion.background import Background
from voiceswap.conversion.engine import Engine
from voiceswap.conversion.options import DEFAULTS, ConversionOptions
from voiceswap.conversion.output import Output
from voiceswap.conversion.output_windows import Conversion
from voiceswap.conversion.progress import ProgressCallback, part_of
from voiceswap.conversion.reading import full_band_of_file
from voiceswap.conversion.recording import Recording
from voiceswap.conversion.recording_notes import note_source
from voiceswap.conversion.strength import of_strength
from voiceswap.conversion.voice import Voice
from voiceswap.errors import VoiceswapError
from voiceswap.notes import Note, note, notes_to


@dataclass(frozen=True)
class FileConversion:
    """A conversion from file to file, with the arguments of `VoiceSwapper.convert_file`."""

    source: str | os.PathLike
    references: Any  # References of `VoiceSwapper`
    out: str | os.PathLike
    options: ConversionOptions = DEFAULTS


@dataclass(frozen=True)
class _OpenFile:
    """A file, and what was read for it."""

    number: int
    file: FileConversion
    writer: AudioWriter
    recording: Recording
    notes: list[Note]


Batch = list[tuple[_OpenFile, Voice]]
Errors = dict[int, VoiceswapError]


class FileConverter:
    """Converts files on an engine; threads read what comes next, and write what is done.

    `voice` makes a voice of references.
    """

    def __init__(self, engine: Engine, voice: Callable[[Any], Voice]):
        self.engine, self.voice = engine, voice

    def convert(
        self, files: Sequence[FileConversion], progress: ProgressCallback
    ) -> list[VoiceswapError | None]:
        """Convert files; for each None, or the error that kept it from being converted."""
        errors: Errors = {}
        done, writing = 0, dict[int, Future[None]]()
        with Background(threads_beside(self.engine.device.type)) as background:
            for batch in self._batches(files, errors, background):
                until = batch[-1][0].number + 1
                outputs = self._convert(
                    batch, part_of(progress, done / len(files), until / len(files))
                )
                _finish(writing, errors)  # of the batch before: no more than two are in memory
                writing = {
                    item.number: background.start(_write, item.writer, output, background)
                    for (item, _), output in zip(batch, outputs, strict=True)
                }
                done = until
            _finish(writing, errors)
        return [errors.get(i) for i in range(len(files))]

    def _batches(
        self, files: Sequence[FileConversion], errors: Errors, background: Background
    ) -> Iterator[Batch]:
        """The files and their voices, in batches; what is wrong with one goes into `errors`."""
        batch: Batch = []
        last: tuple[Any, Voice] | None = None  # the last references, and their voice
        opened = background.ahead(
            lambda numbered: self._open(*numbered, background),
            enumerate(files),
            2 * self.engine.batch_size,
        )
        for number, item in enumerate(opened):
            try:
                if isinstance(item, VoiceswapError):
                    raise item
                for sentence in item.notes:
                    note(sentence)
                references = item.file.references
                if last is None or not _same(references, last[0]):
                    last = references, self.voice(references).to(self.engine.device)
                batch.append((item, last[1]))
            except VoiceswapError as error:
                errors[number] = error
                continue
            if sum(len(item.recording.windows) for item, _ in batch) >= self.engine.batch_size:
                yield batch
                batch = []
        if batch:
            yield batch

    def _open(
        self, number: int, file: FileConversion, background: Background
    ) -> _OpenFile | VoiceswapError:
        """What a thread reads of a file, or the error: it counts when the file's turn comes."""
        notes: list[Note] = []
        rate, out_rate = self.engine.audio.sample_rate, self.engine.output_audio.sample_rate
        try:
            subtype = file.options.subtype or fine_subtype(file.out, file.source)
            source, tags = _regular(file.source), file.options.tags
            writer = AudioWriter(file.out, out_rate, file.options.rate, subtype, source, tags=tags)
            with notes_to(notes.append):
                stream = AudioStream(file.source, rate)
                blocks = background.until_stopped(stream)
                own_voice = file.options.strength != 1.0  # of which the highs are needed too
                full_band = full_band_of_file(file.source, rate, out_rate) if own_voice else None
                recording = Recording(
                    blocks,
                    self.engine.audio,
                    str(file.source),
                    lambda: stream.seconds,
                    full_band,
                    shortest=shortest_source(file.options.strength),
                )
                writer.seconds = recording.seconds
        except VoiceswapError as error:
            return error
        return _OpenFile(number, file, writer, recording, notes)

    def _convert(self, batch: Batch, progress: ProgressCallback) -> list[Output]:
        recordings = [item.recording for item, _ in batch]
        encoded = self.engine.encoder.encode(recordings, part_of(progress, 0.0, 0.6))
        conversions = []
        for (item, voice), source in zip(batch, encoded, strict=True):
            usual = self.engine.usual_log_variance
            note_source(source, usual, item.file.options)
            voice = of_strength(self.engine, source, voice, item.file.options)
            conversions.append(Conversion(source, voice, item.file.options))
        return self.engine.convert(conversions, part_of(progress, 0.6, 1.0))


def threads_beside(device: str) -> int:
    """How many threads read and write while networks run on a kind of device."""
    return 1 if device == "cpu" else max(2, min(14, (os.cpu_count() or 1) - 2))


def _regular(source: str | os.PathLike) -> Path | None:
    """A source that can be read again, for its pictures; a pipe can't."""
    return Path(source) if Path(source).is_file() else None


def _write(writer: AudioWriter, output: Output, background: Background) -> None:
    with writer:
        for block in background.until_stopped(output.blocks()):
            writer.write(block)


def _finish(writing: Mapping[int, Future[None]], errors: Errors) -> None:
    """Wait for files, by number, to be written."""
    for number, written in writing.items():
        try:
            written.result()
        except VoiceswapError as error:
            errors[number] = error


def _same(first: Any, second: Any) -> bool:
    """Whether two references are one object, or the same paths."""
    if first is second:
        return True
    sequences = isinstance(first, (list, tuple)) and isinstance(second, (list, tuple))
    if sequences and len(first) == len(second):
        return all(_same(a, b) for a, b in zip(first, second, strict=True))
    paths = isinstance(first, (str, os.PathLike)) and isinstance(second, (str, os.PathLike))
    return paths and os.fspath(first) == os.fspath(second)
