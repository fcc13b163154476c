"""What workers get, the settings of their model and tasks, and the outcomes that they return."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from voiceswap.batch.inputs import ReferencePaths
from voiceswap.batch.options import BatchOptions
from voiceswap.notes import Note

if TYPE_CHECKING:  # without PyTorch, a mistake in the inputs is told at once
    from voiceswap.conversion.voice import Voice


class ModelSettings(NamedTuple):
    """The arguments with which a worker loads its model: see `VoiceSwapper.load`."""

    checkpoint: str
    device: str
    batch_size: int | None
    precision: str


@dataclass(frozen=True, slots=True)
class VoiceTask:
    """Extract the voice of some references."""

    references: ReferencePaths


@dataclass(frozen=True, slots=True)
class ConversionTask:
    """Convert one file.

    Attributes:
        output: the output's path in the output folder, for messages and for its ending.
        part: where the worker writes it; the run renames it to `output` when it is whole.
    """

    source: str
    voice: "Voice | ReferencePaths"
    options: BatchOptions
    output: str
    part: str


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A part file that is whole and on the disk."""

    part: str
    sha256: str
    bytes: int
    modified_ns: int
    audio_seconds: float
    seconds: float  # that its conversion took
    notes: tuple[Note, ...] = ()  # on its source, and on references that are this file's alone


@dataclass(frozen=True, slots=True)
class ExtractedVoice:
    """A voice, and what was noted of its references."""

    voice: "Voice"
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a task has no result.

    Attributes:
        message: one sentence.
        trace: the traceback of an unexpected error; otherwise empty.
        disk_full: whether nothing more can be written.
    """

    message: str
    trace: str = ""
    disk_full: bool = False


Task = VoiceTask | ConversionTask
Work = tuple[Task, ...]  # what a worker gets at once: one task, or several conversions
Outcome = ExtractedVoice | WrittenFile | Failure
