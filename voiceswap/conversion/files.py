"""Conversion from file to file, in batches."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from voiceswap.audio import stream_audio
from voiceswap.conversion.batching import ProgressCallback
from voiceswap.conversion.engine import Conversion, Engine
from voiceswap.conversion.options import DEFAULTS, ConversionOptions
from voiceswap.conversion.recording import EncodedRecording, Recording
from voiceswap.conversion.two_voices import note_two_voices
from voiceswap.conversion.voice import Voice
from voiceswap.errors import AudioError, VoiceswapError
from voiceswap.writing import AudioWriter


@dataclass(frozen=True)
class FileConversion:
    """A file to be converted to another: as `VoiceSwapper.convert_file` takes them."""

    source: str | os.PathLike
    references: Any  # References of `VoiceSwapper`
    out: str | os.PathLike
    options: ConversionOptions = DEFAULTS


@dataclass(frozen=True)
class _OpenFile:
    """A file of a batch, and what was read for it."""

    number: int
    file: FileConversion
    writer: AudioWriter
    recording: Recording
    voice: Voice


class FileConverter:
    """Converts files on an engine.

    `voice` makes a voice of references, `between` one between a source's own and another.
    """

    def __init__(
        self,
        engine: Engine,
        voice: Callable[[Any], Voice],
        between: Callable[[EncodedRecording, Voice, float], Voice],
    ):
        self.engine, self.voice, self.between = engine, voice, between

    def convert(
        self, files: Sequence[FileConversion], progress: ProgressCallback
    ) -> list[VoiceswapError | None]:
        """Convert files; for each None, or the error that kept it from being converted."""
        errors: dict[int, VoiceswapError] = {}
        done = 0
        for batch in self._open(files, errors):
            until = batch[-1].number + 1
            self._convert(batch, errors, _part(progress, done / len(files), until / len(files)))
            done = until
        return [errors.get(i) for i in range(len(files))]

    def _open(
        self, files: Sequence[FileConversion], errors: dict[int, VoiceswapError]
    ) -> Iterator[list[_OpenFile]]:
        """What the files need, in batches; what is wrong with one goes into `errors`."""
        batch: list[_OpenFile] = []
        known = _LastVoice(self.voice)
        rate, out_rate = self.engine.audio.sample_rate, self.engine.output_audio.sample_rate
        for number, file in enumerate(files):
            try:
                options = file.options
                writer = AudioWriter(file.out, out_rate, options.rate, options.subtype)
                blocks = stream_audio(file.source, rate)
                recording = Recording(blocks, self.engine.audio, str(file.source))
                note_two_voices(recording, str(file.source))
                batch.append(_OpenFile(number, file, writer, recording, known(file.references)))
            except VoiceswapError as error:
                errors[number] = error
                continue
            if sum(len(item.recording.windows) for item in batch) >= self.engine.batch_size:
                yield batch
                batch = []
        if batch:
            yield batch

    def _convert(
        self,
        batch: Sequence[_OpenFile],
        errors: dict[int, VoiceswapError],
        progress: ProgressCallback,
    ) -> None:
        recordings = [item.recording for item in batch]
        encoded = self.engine.encoder.encode(recordings, _part(progress, 0.0, 0.6))
        conversions = [
            Conversion(
                source,
                self.between(source, item.voice, item.file.options.strength),
                item.file.options,
            )
            for item, source in zip(batch, encoded, strict=True)
        ]
        outputs = self.engine.convert(conversions, _part(progress, 0.6, 1.0))
        for item, output in zip(batch, outputs, strict=True):
            try:
                with item.writer:
                    for block in output.blocks():
                        item.writer.write(block)
            except AudioError as error:
                errors[item.number] = error


class _LastVoice:
    """Makes a voice, or gives the last one again for the same references."""

    def __init__(self, make: Callable[[Any], Voice]):
        self.make = make
        self.references: Any = None
        self.made: Voice | None = None

    def __call__(self, references: Any) -> Voice:
        if self.made is None or not _same(references, self.references):
            self.made, self.references = self.make(references), references
        return self.made


def _same(first: Any, second: Any) -> bool:
    """Whether two references are one object, or the same paths."""
    if first is second:
        return True
    sequences = isinstance(first, (list, tuple)) and isinstance(second, (list, tuple))
    if sequences and len(first) == len(second):
        return all(_same(a, b) for a, b in zip(first, second, strict=True))
    paths = isinstance(first, (str, os.PathLike)) and isinstance(second, (str, os.PathLike))
    return paths and os.fspath(first) == os.fspath(second)


def _part(progress: ProgressCallback, first: float, last: float) -> ProgressCallback:
    """Progress of a part of the work, as the shares `first` to `last` of all of it."""
    return lambda done: progress(first + (last - first) * done)
