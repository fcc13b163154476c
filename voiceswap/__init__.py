"""voiceswap: A's words in B's voice, and B's words in A's.

from voiceswap import VoiceSwapper
swapper = VoiceSwapper.load()
a_words_in_b_voice, b_words_in_a_voice = swapper.swap("a.wav", "b.wav")
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from voiceswap.errors import AudioError, CheckpointError, DataError, TrainingError, VoiceswapError

if TYPE_CHECKING:
    from voiceswap.conversion.dialogue import convert_dialogue
    from voiceswap.conversion.file_conversion import FileConversion
    from voiceswap.conversion.latency import Latency
    from voiceswap.conversion.options import ConversionOptions
    from voiceswap.conversion.source_pitch import source_pitch
    from voiceswap.conversion.streaming import Stream
    from voiceswap.conversion.swapper import VoiceSwapper
    from voiceswap.conversion.turns import Turn
    from voiceswap.conversion.voice import Voice
    from voiceswap.features import AudioConfig

# Before torch is imported: its threads wait for each other asleep. Awake, each takes a core while
# it waits, and on a computer that is busy otherwise a conversion takes many times as long.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# Large tensors in large pages of memory, which Linux is quicker to give.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
# On a Mac's GPU, an operation that it lacks runs on the CPU; torch warns of each, once.
os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")

__version__ = "0.1.0"
__all__ = [
    "AudioConfig",
    "AudioError",
    "CheckpointError",
    "ConversionOptions",
    "DataError",
    "FileConversion",
    "Latency",
    "Stream",
    "TrainingError",
    "Turn",
    "Voice",
    "VoiceSwapper",
    "VoiceswapError",
    "__version__",
    "convert_dialogue",
    "source_pitch",
]
_HOMES = {
    "AudioConfig": "features",
    "ConversionOptions": "conversion.options",
    "FileConversion": "conversion.file_conversion",
    "Latency": "conversion.latency",
    "Stream": "conversion.streaming",
    "Turn": "conversion.turns",
    "VoiceSwapper": "conversion.swapper",
    "Voice": "conversion.voice",
    "convert_dialogue": "conversion.dialogue",
    "source_pitch": "conversion.source_pitch",
}


def __getattr__(name: str) -> Any:
    """Import what needs torch when it is first used, so that `voiceswap --help` answers at once."""
    if name not in _HOMES:
        raise AttributeError(f"module 'voiceswap' has no attribute {name!r}")
    return getattr(import_module(f"voiceswap.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """What editors and notebooks offer after `voiceswap.`, before it is imported too."""
    return sorted({*globals(), *__all__})
