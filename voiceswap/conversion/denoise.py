"""Removes steady noise from references, which would otherwise become part of the voice."""

import numpy as np
import torch
import torch.nn.functional as F

from voiceswap.audio import active_level_db
from voiceswap.spectra import power

WINDOW, HOP = 0.032, 0.008  # seconds of the Fourier transform
VALLEY = (
    25  # frames over which power is averaged before its lowest parts are taken for noise: 0.2 s
)
LOWEST, SHORTFALL = (
    0.05,
    1.2,
)  # the share of time that is noise alone at least, and what such low parts lack of the mean
SURELY = (5, 3)  # frames and bins over which power is averaged to tell speech from noise
EXCESS = 1.5  # times the noise that such an average has to surpass
ENOUGH = 2.0  # seconds in which there are pauses
INAUDIBLE_DB = (
    -33.0
)  # noise this far below the speech is left, and louder noise is brought down to there


def denoise(samples: np.ndarray, sample_rate: int) -> np.ndarray:
    """`samples` (samples,) with steady noise brought down to 33 dB below the speech.

    A Wiener filter whose noise is known from the quietest twentieth of every frequency (minimum
    statistics: Martin, 2001), with over-subtraction (Berouti et al., 1979). What has no more noise
    than that comes back as it was, and so does what is shorter than 2 s, where the quietest parts
    may be speech.
    """
    if len(samples) < ENOUGH * sample_rate:
        return samples
    n_fft = round(WINDOW * sample_rate / 2) * 2
    window = torch.hann_window(n_fft)
    hop = round(HOP * sample_rate)
    spectrum = torch.stft(
        torch.from_numpy(samples),
        n_fft,
        hop,
        window=window,
        return_complex=True,
        pad_mode="constant",
    )
    powers = power(spectrum)  # (bins, frames)
    noise = SHORTFALL * _averaged(powers, VALLEY).quantile(LOWEST, dim=1, keepdim=True)
    level_db = 10 * float((2 * noise.sum() / (n_fft * window.square().sum()) + 1e-12).log10())
    above_speech = level_db - active_level_db(samples, sample_rate)
    if (
        not INAUDIBLE_DB < above_speech < 0
    ):  # what is as loud as the whole is a voice that never changes
        return samples
    least = 10 ** ((INAUDIBLE_DB - above_speech) / 20)
    speech = (_averaged(powers, *SURELY) - EXCESS * noise).clamp(min=0.0)
    gain = (speech / (speech + noise).clamp(min=1e-20)).clamp(min=least)
    return torch.istft(spectrum * gain, n_fft, hop, window=window, length=len(samples)).numpy()


def _averaged(power: torch.Tensor, frames: int, bins: int = 1) -> torch.Tensor:
    """Running means of power (bins, frames) over an odd number of frames and of bins."""
    return F.avg_pool2d(
        power[None], (bins, frames), 1, (bins // 2, frames // 2), count_include_pad=False
    )[0]
