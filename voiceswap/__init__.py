"""voiceswap: A's words in B's voice, and B's words in A's.

from voiceswap import VoiceSwapper
swapper = VoiceSwapper.load()
a_words_in_b_voice, b_words_in_a_voice = swapper.swap("a.wav", "b.wav")
"""

from voiceswap.errors import AudioError, CheckpointError, DataError, VoiceswapError
from voiceswap.features import AudioConfig
from voiceswap.swapper import VoiceSwapper
from voiceswap.voice import Voice

__version__ = "0.1.0"
__all__ = ["AudioConfig", "AudioError", "CheckpointError", "DataError", "Voice", "VoiceSwapper", "VoiceswapError", "__version__"]
