"""Whether a recording has the highs that its sample rate can hold."""

import numpy as np
import torch

from voiceswap.dsp.spectra import mirrored_stft

LOWS, MIDDLE, HIGHS = (0.04, 0.29), (0.33, 0.58), (0.83, 0.96)  # shares of half the sample rate
MIDDLE_DROP_DB, HIGHEST_DROP_DB = 40.0, 24.0


def missing_highs(samples: np.ndarray, rate: int) -> bool:
    """Whether samples (samples,) were once at a lower rate, or lost their highs in coding.

    Highs are missing if they lie more than 24 dB below the middle band, or the middle band more
    than 40 dB below the lows.
    """
    n_fft = round(rate * 0.04)
    power = mirrored_stft(torch.from_numpy(samples), n_fft).abs().square().mean(1)

    def level_db(band: tuple[float, float]) -> float:
        first, last = (round(share * n_fft / 2) for share in band)
        return float(10 * (power[first:last].mean() + 1e-12).log10())

    lows, middle, highs = (level_db(band) for band in (LOWS, MIDDLE, HIGHS))
    return highs < middle - HIGHEST_DROP_DB or middle < lows - MIDDLE_DROP_DB
