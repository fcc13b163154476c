"""Whether prepared recordings will do, in one line."""

from collections.abc import Iterable, Mapping

import numpy as np

ADVISED_MINUTES = 10
ADVISED_NOISE_DB = 20


def advice(minutes: float, noise: Iterable[float], left_out: Mapping[str, str]) -> str:
    """What there is, beside what is advised for training.

    Args:
        minutes: of speech.
        noise: of every recording, in dB below its speech.
        left_out: reasons by file.
    """
    below = float(np.median(list(noise)))
    clipped = sum("clipped" in reason for reason in left_out.values())
    parts = [f"{minutes:.1f} minutes of speech"]
    if minutes < ADVISED_MINUTES:
        parts[-1] += f", of {ADVISED_MINUTES} advised"
    if clipped:
        parts.append(f"{clipped} clipped recording{'s' if clipped > 1 else ''} left out")
    parts.append(f"noise {below:.0f} dB below speech")
    if below < ADVISED_NOISE_DB:
        parts[-1] += f", of {ADVISED_NOISE_DB} advised"
    return "; ".join(parts)
