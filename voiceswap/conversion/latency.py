"""How long a stream waits before it converts a moment."""

from dataclasses import dataclass

from voiceswap.errors import VoiceswapError


@dataclass(frozen=True)
class Latency:
    """How a stream trades delay for words: all in seconds, multiples of 0.02.

    Attributes:
        block: what is converted at a time.
        lookahead: what follows a moment and is analysed before that is converted.
        past: what is analysed before it.
    """

    block: float
    lookahead: float
    past: float

    @staticmethod
    def of(latency: "str | Latency") -> "Latency":
        """One of LATENCIES by name, or what is given. Raises VoiceswapError for another name."""
        if isinstance(latency, Latency):
            return latency
        if latency in LATENCIES:
            return LATENCIES[latency]
        raise VoiceswapError(f"latency is '{latency}', but must be low, normal or high.")


LATENCIES = {
    "low": Latency(0.10, 0.08, 1.2),
    "normal": Latency(0.16, 0.24, 1.6),
    "high": Latency(0.24, 0.56, 2.0),
}
