"""What keeps a recording from being learned from: clipping and noise."""

import numpy as np

from voiceswap.dsp.level import frame_powers, level_of_powers

CLIPPED_SHARE = 0.01  # of the samples, at the peak
CLIPPED_PEAK = 0.5  # below this a flat peak is no clipping of the recorder
NOISE_SHARE = 0.1  # of the frames, the quietest, hold noise alone


def is_clipped(samples: np.ndarray) -> bool:
    """Whether many of the samples, of any shape, are at their peak."""
    magnitudes = np.abs(samples)
    peak = float(magnitudes.max())
    return bool(peak > CLIPPED_PEAK and np.mean(magnitudes >= 0.999 * peak) > CLIPPED_SHARE)


def speech_above_noise_db(samples: np.ndarray, sample_rate: int) -> float:
    """Active level of `samples` (samples,) relative to that of the quietest frames, in dB."""
    powers = frame_powers(samples, sample_rate)
    noise_db = 10 * np.log10(np.quantile(powers, NOISE_SHARE) + 1e-12)
    return level_of_powers(powers) - float(noise_db)
