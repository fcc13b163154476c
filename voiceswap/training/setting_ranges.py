"""Ranges of the numbers in a training config."""

import math
from collections.abc import Sequence

from voiceswap.errors import DataError
from voiceswap.features import AudioConfig

ANY = math.inf  # no upper bound
Numbers = float | Sequence[float]


def require_ranges(section: str, **settings: tuple[Numbers, float, float]) -> None:
    """Raise DataError for the first setting of a config's section that is out of its range.

    Of each the value, which may be a list of numbers, the lowest and the highest that it may have.
    What is not finite is out of every range.
    """
    for name, (value, low, high) in settings.items():
        for number in value if isinstance(value, Sequence) else [value]:
            if not (low <= number <= high and math.isfinite(number)):
                bounds = f"from {low:g} on" if high == ANY else f"from {low:g} to {high:.15g}"
                raise DataError(f"{section}.{name} is {number}, but must be a number {bounds}.")


def require_audio_ranges(audio: AudioConfig) -> None:
    """Raise DataError for the first of the audio settings that is out of its range."""
    require_ranges(
        "data.audio",
        sample_rate=(audio.sample_rate, 1, ANY),
        n_fft=(audio.n_fft, 1, ANY),
        hop_length=(audio.hop_length, 1, ANY),
        n_mels=(audio.n_mels, 1, ANY),
        f_min=(audio.f_min, 0, ANY),
        f_max=(audio.f_max, audio.f_min, ANY),
    )
