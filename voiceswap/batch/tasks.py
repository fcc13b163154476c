"""What goes to a worker, and what comes back."""

from dataclasses import dataclass

from voiceswap.batch.inputs import ReferencePaths
from voiceswap.batch.options import BatchOptions
from voiceswap.conversion.voice import Voice


@dataclass(frozen=True, slots=True)
class VoiceExtraction:
    """A piece of work: the voice of some references."""

    references: ReferencePaths


@dataclass(frozen=True, slots=True)
class Conversion:
    """A piece of work: one file. `part` is where to write it; it gets its own name when all is well."""

    source: str
    voice: Voice | ReferencePaths
    options: BatchOptions
    output: str  # its name to be, for sentences and its ending
    part: str


@dataclass(frozen=True, slots=True)
class Written:
    """A part that is whole and on the disk."""

    part: str
    sha256: str
    bytes: int
    written: int
    audio_seconds: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is none, in one sentence; `trace` where it should not have happened, `disk_full` where nothing more can be written."""

    sentence: str
    trace: str = ""
    disk_full: bool = False


Piece = VoiceExtraction | Conversion
Work = tuple[Piece, ...]  # what one worker does at once: several are conversions alone
Outcome = Voice | Written | Failure
