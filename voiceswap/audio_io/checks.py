"""Whether samples are those of a recording that can be used."""

import math

import numpy as np

from voiceswap.errors import AudioError

MIN_RECORDING_SECONDS = 0.3  # of what a voice is taken from
MIN_SOURCE_SECONDS = 0.1  # of what is converted: a game's lines may be cries
MOST_PEAK = 256.0  # of floats: more are integers that were not scaled
SILENCE_PEAK = 1e-4  # -80 dB: below this nothing can be told from the noise of a 16-bit file


def shortest_source(strength: float) -> float:
    """Seconds that a source needs; with less than full strength its own voice is needed, too."""
    return MIN_SOURCE_SECONDS if strength == 1.0 else MIN_RECORDING_SECONDS


def check_audio(
    samples: np.ndarray,
    rate: float,
    name: str = "The recording",
    shortest: float = MIN_RECORDING_SECONDS,
) -> None:
    """Raise AudioError unless `samples` (samples,) are finite, long enough and not silent.

    `shortest` is in seconds.
    """
    require_finite(samples, name)
    require_length(len(samples), rate, name, shortest)
    require_sound(float(np.abs(samples - samples.mean()).max()), name)


def require_length(count: int, rate: float, name: str, shortest: float) -> None:
    """Raise AudioError if so many samples at `rate` Hz are less than `shortest` seconds."""
    if count == 0:
        raise AudioError(f"{name} holds no samples.")
    if count < shortest * rate:
        # Rounded down, or 0.2999 s would be told to be 0.30 s.
        hundredths = math.floor(100 * count / rate)
        seconds = f"{hundredths / 100:.2f}" if hundredths else "less than 0.01"
        raise AudioError(f"{name} is {seconds} s long; at least {shortest} s is needed.")


def require_sound(peak: float, name: str) -> None:
    """Raise AudioError if the peak of a recording without its offset is that of silence."""
    if peak < SILENCE_PEAK:
        raise AudioError(f"{name} is silent.")


def require_full_scale(samples: np.ndarray, name: str) -> None:
    """Raise AudioError for floats that are integers of 16 bits and more, by their size."""
    peak = float(np.abs(samples).max(initial=0.0))
    if math.isfinite(peak) and peak > MOST_PEAK:
        raise AudioError(
            f"{name} has samples up to {peak:.3g}; give floats with full scale at 1.0, or integers."
        )


def require_finite(samples: np.ndarray, name: str) -> None:
    """Raise AudioError if there is a NaN or an infinity among `samples`."""
    if not np.isfinite(samples).all():
        raise AudioError(f"{name} holds NaN or infinite samples.")
