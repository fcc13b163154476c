"""Whether samples are those of a recording that can be used."""

import math

import numpy as np

from voiceswap.errors import AudioError

MIN_RECORDING_SECONDS = 0.3
MOST_PEAK = 256.0  # of floats: more are integers that were not scaled
SILENCE_PEAK = 1e-4  # -80 dB: below this nothing can be told from the noise of a 16-bit file


def check_audio(samples: np.ndarray, rate: float, name: str = "The recording") -> None:
    """Raise AudioError unless `samples` (samples,) are finite, long enough and not silent."""
    require_finite(samples, name)
    require_length(len(samples), rate, name)
    require_sound(float(np.abs(samples - samples.mean()).max()), name)


def require_length(count: int, rate: float, name: str) -> None:
    """Raise AudioError if so many samples at `rate` Hz are less than MIN_RECORDING_SECONDS."""
    if count == 0:
        raise AudioError(f"{name} holds no samples.")
    if count < MIN_RECORDING_SECONDS * rate:
        seconds = f"{count / rate:.2f}" if count >= 0.01 * rate else "less than 0.01"
        raise AudioError(
            f"{name} is {seconds} s long; at least {MIN_RECORDING_SECONDS} s is needed."
        )


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
