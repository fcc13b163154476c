"""How long a stream waits before it converts a moment."""

import math
from dataclasses import astuple, dataclass

from voiceswap.errors import VoiceswapError

STEP = 0.02  # seconds from one content code to the next
LEAST_PAST = 0.6  # seconds before a block over which its loudness is measured


@dataclass(frozen=True)
class Latency:
    """How a stream trades delay for clear words: all in seconds, multiples of 0.02.

    Attributes:
        block: length that is converted at a time.
        lookahead: length after a block that is analysed with it.
        past: length before a block that is analysed with it, at least 0.6.

    Raises:
        VoiceswapError: one of them is too short, or no finite number.
    """

    block: float
    lookahead: float
    past: float

    def __post_init__(self) -> None:
        numbers = all(isinstance(x, int | float) and math.isfinite(x) for x in astuple(self))
        if not numbers or self.block < STEP or self.lookahead < 0 or self.past < LEAST_PAST:
            raise VoiceswapError(
                f"A latency needs a block of at least {STEP} s, a lookahead from 0 s on and a past "
                f"of at least {LEAST_PAST} s."
            )

    @staticmethod
    def of(latency: "str | Latency") -> "Latency":
        """One of LATENCIES by name, or what is given. Raises VoiceswapError for another name."""
        if isinstance(latency, Latency):
            return latency
        if isinstance(latency, str) and latency in LATENCIES:
            return LATENCIES[latency]
        raise VoiceswapError(f"latency is '{latency}', but must be low, normal or high.")


LATENCIES = {
    "low": Latency(0.10, 0.08, 1.2),
    "normal": Latency(0.16, 0.24, 1.6),
    "high": Latency(0.24, 0.56, 2.0),
}
