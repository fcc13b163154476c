"""Hum of the mains: tones at 50 or 60 Hz and its multiples, which never pause."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from voiceswap.dsp.spectra import power, stft

MAINS, HIGHEST = (50, 60), 1000  # Hz; of the tones
# Seconds of a frame, and from one to the next: whole periods of every tone, so that a tone has one
# phase in all frames.
WINDOW, HOP, BIN = 0.2, 0.1, 5  # and Hz from bin to bin
BESIDE = (-4, -3, 3, 4)  # bins beside a tone that neither it nor another tone reaches
# By how much a mains, or a recorder's clock, may be off, tried on so many of the lowest tones.
CLOCK, LOWEST = torch.linspace(-0.004, 0.004, 81, dtype=torch.float64), 6
MEMORY = 20  # frames to either side that a tone is known from at one moment
PAUSE = 4.0  # power of the loudest tenth for that of the quietest, below which there is no pause
PROMINENCE, AUDIBLE = 10.0, 1e-6  # a tone's power for that beside it, and for the recording's
STEADY = 2.0  # times its usual magnitude, above which it is something else


class _Tones(NamedTuple):
    """Those that there are: bins (tones,), and spectrum (tones, frames) without speech."""

    bins: Tensor
    spectrum: Tensor


def remove_hum(samples: np.ndarray, sample_rate: int) -> np.ndarray:
    """`samples` (samples,) without the hum of the mains, where there is any; float32.

    The F0 tracker would take it for a voice. It is known from the quiet parts and subtracted, so
    that a voice that crosses its frequencies stays. Where there is no pause, nothing is removed.
    """
    hop = round(HOP * sample_rate)
    padded = np.pad(samples, (0, -len(samples) % hop))
    window = torch.hann_window(2 * hop)
    if len(samples) < 5 * len(window):
        return samples
    spectrum = stft(torch.from_numpy(padded), window, hop)[: HIGHEST // BIN + max(BESIDE) + 1]
    spectrum = spectrum.to(torch.complex128)
    powers = power(spectrum).sum(0)
    quietest, loudest = powers[1:-1].quantile(torch.tensor([0.1, 0.9], dtype=torch.float64))
    if loudest < PAUSE * quietest:
        return samples
    weights = 1 / (powers + 1e-9)
    weights[[0, -1]] = 0.0  # half of them is beyond the recording
    bins, tones = max(
        (_tones(spectrum, weights, mains) for mains in MAINS),
        key=lambda found: float(power(found.spectrum).sum()),
    )
    if power(tones).sum() < AUDIBLE * powers.sum():
        return samples
    alone = torch.zeros(hop + 1, spectrum.shape[1], dtype=torch.complex128)
    alone[bins] = tones
    frames = 2 * torch.fft.irfft(alone, 2 * hop, dim=0) * window[:, None]
    hum = (frames[hop:, :-1] + frames[:hop, 1:]).T.flatten()[: len(samples)]
    return (samples - hum.numpy()).astype(np.float32)


def _tones(spectrum: Tensor, weights: Tensor, mains: int) -> _Tones:
    """What of a spectrum (bins, frames) is hum of a mains; `weights` (frames,) are of quiet."""
    number = torch.arange(1, HIGHEST // mains + 1, dtype=torch.float64)
    bins = (number * mains / BIN).long()
    phase = -2 * torch.pi * mains * HOP * number[:, None] * torch.arange(spectrum.shape[1])
    found = spectrum[bins]
    lowest = _turned((found * weights)[:LOWEST], CLOCK[:, None, None] * phase[:LOWEST])
    clock = CLOCK[power(lowest.sum(2)).sum(1).argmax()]
    steady = _mean_over_time(_turned(found, clock * phase), weights)
    beside = torch.stack([power(_mean_over_time(spectrum[bins + by], weights)) for by in BESIDE])
    usual = power(steady).median(1, keepdim=True).values
    there = usual[:, 0] > PROMINENCE * beside.mean(0).median(1).values
    limited = steady * (STEADY * usual.sqrt() / steady.abs().clamp(min=1e-30)).clamp(max=1.0)
    return _Tones(bins[there], _turned(limited, -clock * phase)[there])


def _turned(spectrum: Tensor, phase: Tensor) -> Tensor:
    return spectrum * torch.polar(torch.ones_like(phase), phase)


def _mean_over_time(spectrum: Tensor, weights: Tensor) -> Tensor:
    """Weighted running means of a spectrum (bins, frames)."""
    kernel = torch.hann_window(2 * MEMORY + 1, periodic=False, dtype=torch.float64)[None, None]

    def smooth(values: Tensor) -> Tensor:
        return torch.nn.functional.conv1d(values[:, None], kernel, padding=MEMORY)[:, 0]

    weighted = spectrum * weights
    total = smooth(weights[None]).clamp(min=1e-30)
    return torch.complex(smooth(weighted.real), smooth(weighted.imag)) / total
