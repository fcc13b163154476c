"""A worker: extracts voices and converts files with a loaded model."""

import math
import time
import traceback
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import soundfile
import torch

from voiceswap import FileConversion, VoiceSwapper
from voiceswap.audio_io.decoding import SoundInfo, seconds_up_to, sound_info
from voiceswap.audio_io.endings import FFMPEG_FORMATS
from voiceswap.audio_io.subtypes import subtype_for
from voiceswap.batch import storage
from voiceswap.batch.formats import ending, rate_for
from voiceswap.batch.inputs import ReferencePaths
from voiceswap.batch.tasks import (
    ConversionTask,
    ExtractedVoice,
    Failure,
    ModelSettings,
    Outcome,
    Task,
    VoiceTask,
    Work,
    WrittenFile,
)
from voiceswap.conversion.progress import ProgressCallback
from voiceswap.conversion.voice import Voice
from voiceswap.errors import MEMORY_IS_FULL, AudioError, VoiceswapError, memory_is_full
from voiceswap.files import disk_is_full, raise_write_error, sha256
from voiceswap.notes import LossNote, Note, notes_to

DURATION_TOLERANCE = 0.2  # seconds that an output may be shorter than its source


def load_model(settings: ModelSettings) -> VoiceSwapper:
    """The model of a worker process, to which PyTorch has one thread from then on.

    So on a CPU outputs have the same bytes for any number of processes.
    """
    torch.set_num_threads(1)
    return VoiceSwapper.load(*settings)


class _CallbackError(Exception):
    """Wraps an exception of a callback, so that it is not taken for one of the conversion."""


def run_work(
    swapper: VoiceSwapper, work: Work, on_share: ProgressCallback = lambda share: None
) -> list[Outcome]:
    """Do all tasks of `work`.

    An error of a task is its Failure, never an exception. Exceptions of `on_share` are raised.
    """

    def guarded_on_share(share: float) -> None:
        try:
            on_share(share)
        except BaseException as error:
            raise _CallbackError from error

    try:
        voices: list[Outcome] = [
            _extract_voice(swapper, task.references) for task in work if isinstance(task, VoiceTask)
        ]
        conversions = [task for task in work if isinstance(task, ConversionTask)]
        return voices or _convert(swapper, conversions, guarded_on_share)
    except _CallbackError as wrapper:
        assert wrapper.__cause__ is not None
        raise wrapper.__cause__ from None
    except Exception as error:  # one file never stops the others; the journal keeps the trace
        if len(work) == 1:
            return [_failure(error, work[0])]
    # Each task alone shows which one fails. Not above, where the error holds the batch's tensors.
    return [outcome for task in work for outcome in run_work(swapper, (task,), on_share)]


def _failure(error: Exception, task: Task, copy: str = "") -> Failure:
    """The Failure for an error; its message names the file, not its local copy or its part."""
    if memory_is_full(error):
        return Failure(MEMORY_IS_FULL, "".join(traceback.format_exception(error)))
    message, full = " ".join(str(error).split()), disk_is_full(error)
    if not isinstance(error, VoiceswapError):
        message = f"{type(error).__name__}: {message or 'no message'}"
        return Failure(message, "".join(traceback.format_exception(error)), full)
    if isinstance(task, ConversionTask):
        message = message.replace(copy or task.source, task.source)
        message = message.replace(task.part, task.output)
    return Failure(message, disk_full=full)


def _extract_voice(swapper: VoiceSwapper, references: ReferencePaths) -> ExtractedVoice:
    notes: list[Note] = []
    with ExitStack() as copies, notes_to(notes.append):
        paths = [copies.enter_context(storage.local_copy(reference)) for reference in references]
        voice = swapper.voice(paths).to("cpu")
    names = dict(zip(map(str, paths), references, strict=True))
    named = (note.of(names.get(note.recording, note.recording)) for note in notes)
    return ExtractedVoice(voice, tuple(named))


def _convert(
    swapper: VoiceSwapper, tasks: list[ConversionTask], on_share: ProgressCallback
) -> list[Outcome]:
    """Convert files together. All conversions of a worker go through this function."""
    start = time.perf_counter()
    outcomes: dict[str, Outcome] = {}
    files: list[_File] = []
    notes: list[Note] = []
    with ExitStack() as copies, notes_to(notes.append):
        for task in tasks:
            try:
                path = copies.enter_context(storage.local_copy(task.source))
                files.append(_open(swapper, task, path))
            except VoiceswapError as error:
                outcomes[task.part] = _failure(error, task)
        errors = swapper.convert_files([file.conversion for file in files], on_share)
        seconds = (time.perf_counter() - start) / len(tasks)
        for file, problem in zip(files, errors, strict=True):
            try:
                if problem:
                    raise problem
                outcomes[file.task.part] = _written_file(file, seconds, notes)
            except VoiceswapError as error:
                outcomes[file.task.part] = _failure(error, file.task, str(file.conversion.source))
    return [outcomes[task.part] for task in tasks]


@dataclass(frozen=True)
class _File:
    """A file to convert, and what its header holds; None where that can't be read."""

    task: ConversionTask
    conversion: FileConversion
    info: SoundInfo | None
    voice_notes: Sequence[Note]  # on references that are this file's alone


def _open(swapper: VoiceSwapper, task: ConversionTask, source: Path) -> _File:
    try:
        info = sound_info(source)
    except AudioError:
        info = None  # the conversion raises the same, or a better message
    options, output_format = task.options, ending(task.output)
    own_subtype, own_rate = (info.subtype, info.rate) if info else (None, None)
    subtype = subtype_for(output_format, own_subtype, options.subtype)
    rate = rate_for(output_format, subtype, own_rate, options.rate)
    if isinstance(task.voice, Voice):
        extracted = ExtractedVoice(task.voice)
    else:
        extracted = _extract_voice(swapper, task.voice)
    chosen = options.conversion(rate, subtype)
    conversion = FileConversion(source, extracted.voice, task.part, chosen)
    return _File(task, conversion, info, extracted.notes)


def _written_file(file: _File, seconds: float, notes: Sequence[Note]) -> WrittenFile:
    """The file's output, with those of `notes` that are on its source.

    Raises AudioError when it is shorter than its source.
    """
    source, own = file.task.source, str(file.conversion.source)
    source_notes = [note.of(source) for note in notes if note.recording == own]
    cut = any(isinstance(note, LossNote) for note in source_notes)
    part, info = Path(file.task.part), file.info
    duration = _duration(part)
    # The header of an MP3, or of what FFmpeg decodes, may hold an estimate; a stream's no length;
    # that of a file which was cut off is wrong.
    exact = info is not None and info.format not in ("MP3", "")
    expected = info.seconds if info is not None and exact and not cut else None
    if expected is not None and duration < expected - DURATION_TOLERANCE:
        raise AudioError(f"{source}: only {duration:.1f} of its {expected:.1f} s were written.")
    stat = part.stat()
    return WrittenFile(
        file.task.part,
        sha256(part),
        stat.st_size,
        stat.st_mtime_ns,
        duration,
        seconds,
        tuple(dict.fromkeys((*source_notes, *file.voice_notes))),  # each once: jobs share sources
    )


def _duration(part: Path) -> float:
    """Seconds in a file just written. Not every encoder reports that the disk was full."""
    if ending(part.name) in FFMPEG_FORMATS:
        return seconds_up_to(part, math.inf)
    try:
        return soundfile.info(part).duration
    except soundfile.LibsndfileError as error:
        raise_write_error(part, error, AudioError)
