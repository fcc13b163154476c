"""What a worker does: hears a voice, or converts files into others."""

import shutil
import time
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import soundfile
import torch

from voiceswap import FileConversion, VoiceSwapper
from voiceswap.batch import storage
from voiceswap.batch.formats import ending, rate_for, subtype_for
from voiceswap.batch.inputs import ReferencePaths
from voiceswap.batch.tasks import (
    Conversion,
    Failure,
    Outcome,
    Piece,
    VoiceExtraction,
    Work,
    Written,
)
from voiceswap.conversion.voice import Voice
from voiceswap.errors import AudioError, VoiceswapError
from voiceswap.files import sha256

ShareCallback = Callable[[float], None]  # is told how much of the work is done, from 0 to 1


class Worker:
    """Holds the model. One thread a process on a CPU: the same bytes whatever the number of processes."""

    def __init__(self, checkpoint: str, device: str, batch_size: int | None):
        torch.set_num_threads(1)
        self.swapper = VoiceSwapper.load(checkpoint, device, batch_size)

    def do(self, work: Work, share: ShareCallback = lambda done: None) -> list[Outcome]:
        """Do all pieces of `work`. What goes wrong with one is its Failure, never an exception; but what `share` raises comes through."""
        return do(self.swapper, work, share)


class _ShareError(Exception):
    """Carries what `share` raised past the handler of the rest."""


def do(swapper: VoiceSwapper, work: Work, share: ShareCallback) -> list[Outcome]:
    """Do work with a model that is loaded; as `Worker.do`."""

    def told(done: float) -> None:
        try:
            share(done)
        except BaseException as error:
            raise _ShareError from error

    try:
        voices: list[Outcome] = [
            _extract_voice(swapper, piece.references)
            for piece in work
            if isinstance(piece, VoiceExtraction)
        ]
        return voices or _convert(
            swapper, [piece for piece in work if isinstance(piece, Conversion)], told
        )
    except _ShareError as stopped:
        assert stopped.__cause__ is not None
        raise stopped.__cause__ from None
    except Exception as error:  # one file never stops the others; the journal keeps the trace
        if len(work) > 1:  # only each alone tells whose it is
            return [outcome for piece in work for outcome in do(swapper, (piece,), share)]
        return [_failure(error, work[0])]


def _failure(error: Exception, piece: Piece, copy: str = "") -> Failure:
    """What to say of an error; a file is called by its own name, not by that of its local copy or its part."""
    message, full = " ".join(str(error).split()), _disk_is_full(error, piece)
    if not isinstance(error, VoiceswapError):
        return Failure(
            f"{type(error).__name__}: {message or 'no message'}",
            "".join(traceback.format_exception(error)),
            full,
        )
    if isinstance(piece, Conversion):
        message = message.replace(copy or piece.source, piece.source).replace(
            piece.part, piece.output
        )
    return Failure(message, disk_full=full)


def _extract_voice(swapper: VoiceSwapper, references: ReferencePaths) -> Voice:
    voices = []
    for reference in references:
        with storage.local_copy(reference) as path:
            voices.append((swapper.voice(path), 1.0))
    return swapper.blend(voices).to("cpu")


def _convert(swapper: VoiceSwapper, work: list[Conversion], share: ShareCallback) -> list[Outcome]:
    """The one place where a worker converts files."""
    start = time.perf_counter()
    outcomes: dict[str, Outcome] = {}
    files: list[_File] = []
    with ExitStack() as copies:
        for piece in work:
            try:
                files.append(
                    _open(swapper, piece, copies.enter_context(storage.local_copy(piece.source)))
                )
            except VoiceswapError as error:
                outcomes[piece.part] = _failure(error, piece)
        errors = swapper.convert_files([file.conversion for file in files], share)
        seconds = (time.perf_counter() - start) / len(work)
        for file, failed in zip(files, errors, strict=True):
            try:
                if failed:
                    raise failed
                outcomes[file.piece.part] = _written(file, seconds)
            except VoiceswapError as error:
                outcomes[file.piece.part] = _failure(error, file.piece, str(file.conversion.source))
    return [outcomes[piece.part] for piece in work]


@dataclass(frozen=True)
class _File:
    """A file to be converted, and what its header says; None where that can't be read."""

    piece: Conversion
    conversion: FileConversion
    facts: Any


def _open(swapper: VoiceSwapper, piece: Conversion, source: Path) -> _File:
    try:
        facts = soundfile.info(source)
    except (soundfile.LibsndfileError, OSError):
        facts = None  # what is wrong with it, the conversion says better
    options = piece.options
    subtype = subtype_for(ending(piece.output), facts and facts.subtype, options.subtype)
    rate = rate_for(ending(piece.output), subtype, facts and facts.samplerate, options.rate)
    voice = piece.voice if isinstance(piece.voice, Voice) else _extract_voice(swapper, piece.voice)
    conversion = FileConversion(source, voice, piece.part, options.conversion(rate, subtype))
    return _File(piece, conversion, facts)


def _written(file: _File, seconds: float) -> Written:
    """The part of a file, all of it on the disk. Raises AudioError when there is less."""
    part, source, facts = Path(file.piece.part), file.piece.source, file.facts
    duration = _duration(part)
    if (
        facts is not None
        and facts.format != "MP3"
        and facts.frames < 2**60
        and duration < facts.duration - 0.2
    ):  # those may guess
        raise AudioError(
            f"{source}: only {duration:.1f} of its {facts.duration:.1f} s came through."
        )
    written = part.stat()
    return Written(
        file.piece.part, sha256(part), written.st_size, written.st_mtime_ns, duration, seconds
    )


def _duration(part: Path) -> float:
    """Seconds in a file just written. Encoders don't always say that the disk was full."""
    try:
        return soundfile.info(part).duration
    except soundfile.LibsndfileError as error:
        raise AudioError(f"{part} was not written whole.") from error


def _disk_is_full(error: Exception, piece: Piece) -> bool:
    if storage.disk_is_full(error):
        return True
    try:
        return (
            isinstance(piece, Conversion)
            and shutil.disk_usage(Path(piece.part).parent).free < 65536
        )  # libsndfile keeps no error number
    except OSError:
        return False
