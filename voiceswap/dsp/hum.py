"""Hum of the mains: tones at 50 or 60 Hz and its multiples, which never pause."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from voiceswap.dsp.spectra import power, stft
from voiceswap.precision import torch_defaults

MAINS, HIGHEST = (50, 60), 1200  # Hz; of the tones: above those that F0 is tracked at
# Seconds from one frame to the next, and half of a frame: whole periods of every tone, so that a
# tone has one phase in all frames.
HOP_SECONDS, BIN = 0.1, 5  # and Hz from bin to bin
BESIDE = (-4, -3, 3, 4)  # bins beside a tone that neither it nor another tone reaches
BINS = HIGHEST // BIN + max(BESIDE) + 1
# By how much a mains, or a recorder's clock, may be off, tried on so many of the lowest tones.
CLOCKS, LOWEST = torch.linspace(-0.004, 0.004, 81, dtype=torch.float64, device="cpu"), 6
MEMORY = 20  # frames to either side that a tone is known from at one moment
FEWEST = 9  # frames that tell of hum
PAUSE = 4.0  # power of the loudest tenth for that of the quietest, below which there is no pause
PROMINENCE, AUDIBLE = 10.0, 1e-6  # a tone's power for that beside it, and for the recording's
STEADY = 2.0  # times its usual magnitude, above which it is something else
SILENT = 1e-9  # power, for the mean, of a frame that has no sound at all, such as before a fade
# Share of the frames near a moment that have to be quiet for all of a tone to be hum there: more
# of a voice's long note would go the fewer they are.
QUIET = 0.05


class Hum(NamedTuple):
    """The tones of a mains in a recording.

    numbers: (tones,), multiples of `mains`, Hz. clock: by what share they are off. spectrum:
    (tones, frames), from frame `first` on, without the turns that `clock` gives. pause: power of
    the quiet frames.
    """

    mains: int
    clock: Tensor
    numbers: Tensor
    spectrum: Tensor
    first: int
    pause: float

    @property
    def power(self) -> float:
        """The sum of all frames' powers."""
        return float(power(self.spectrum).sum())

    @property
    def tones(self) -> np.ndarray:
        """(tones,), Hz by the mains."""
        return (self.mains * self.numbers).numpy()

    def wave(self, start: int, stop: int, sample_rate: int) -> np.ndarray:
        """Samples `start` to `stop` of the hum; beyond the known frames it goes on."""
        hop = round(HOP_SECONDS * sample_rate)
        frames = torch.arange(start // hop, -(-stop // hop) + 1)
        known = (frames - self.first).clamp(0, self.spectrum.shape[1] - 1)
        whole = torch.zeros(hop + 1, len(frames), dtype=torch.complex128)
        turns = self.clock * _turns(self.mains, self.numbers, frames)
        whole[_bins(self.mains, self.numbers)] = _turned(self.spectrum[:, known], turns)
        parts = 2 * torch.fft.irfft(whole, 2 * hop, dim=0) * torch.hann_window(2 * hop)[:, None]
        samples = (parts[hop:, :-1] + parts[:hop, 1:]).T.flatten()
        return samples[start % hop :][: stop - start].numpy()


class HumRemover:
    """Removes hum from a recording, a piece after the other.

    The F0 tracker would take it for a voice.
    """

    def __init__(self) -> None:
        self._pause = 0.0  # power of the quiet frames of the last piece that hums

    @torch_defaults()
    def __call__(self, samples: np.ndarray, sample_rate: int) -> np.ndarray:
        """A piece (samples,) without the hum of the mains, where there is any; float32."""
        hum = find_hum(hum_spectrum(samples, sample_rate), 1, self._pause)
        if hum is None:
            return samples
        self._pause = hum.pause
        return (samples - hum.wave(0, len(samples), sample_rate)).astype(np.float32)


def hum_spectrum(samples: np.ndarray, sample_rate: int) -> Tensor:
    """Spectrum (BINS, frames) of the frames that lie whole in samples (samples,).

    The first is centred on the first hop.
    """
    hop = round(HOP_SECONDS * sample_rate)
    spectrum = stft(torch.from_numpy(samples), torch.hann_window(2 * hop), hop)
    return spectrum[:BINS, 1 : len(samples) // hop].to(torch.complex128)


def find_hum(spectrum: Tensor, first: int, pause: float = 0.0) -> Hum | None:
    """The hum in a spectrum by `hum_spectrum`, whose frames count from `first` on.

    It is known from the quiet frames, so that a voice that crosses its frequencies is no part of
    it. Where there is no pause, none is known, unless all is as quiet as a `pause` before.
    """
    powers = power(spectrum[MAINS[0] // BIN - 1 :]).sum(0)  # without an offset
    sounds = powers > SILENT * powers.mean()
    if sounds.sum() < FEWEST:
        return None
    quietest, loudest = powers[sounds].quantile(torch.tensor([0.1, 0.9], dtype=torch.float64))
    if loudest < PAUSE * quietest and loudest > PAUSE * pause:
        return None
    weights = torch.where(sounds, quietest / powers, 0.0)
    found = (_hum(spectrum, first, weights, mains, float(quietest)) for mains in MAINS)
    hum = max(found, key=lambda hum: hum.power)
    return hum if hum.power > AUDIBLE * powers.sum() else None


def _hum(spectrum: Tensor, first: int, weights: Tensor, mains: int, pause: float) -> Hum:
    """What is hum of a mains; `weights` (frames,) are those of the quiet, 1 at power `pause`."""
    numbers = torch.arange(1, HIGHEST // mains + 1)
    bins = _bins(mains, numbers)
    turns = -_turns(mains, numbers, first + torch.arange(spectrum.shape[1]))
    tones = spectrum[bins]
    lowest = _turned((tones * weights)[:LOWEST], CLOCKS[:, None, None] * turns[:LOWEST])
    clock = CLOCKS[power(lowest.sum(2)).sum(1).argmax()]
    spectra = [_turned(tones, clock * turns), *(spectrum[bins + by] for by in BESIDE)]
    steady, *beside = _mean_over_time(torch.stack(spectra), weights)
    usual = power(steady).median(1, keepdim=True).values
    there = usual[:, 0] > PROMINENCE * power(torch.stack(beside)).mean(0).median(1).values
    limited = steady * (STEADY * usual.sqrt() / steady.abs().clamp(min=1e-30)).clamp(max=1.0)
    return Hum(mains, clock, numbers[there], limited[there], first, pause)


def _bins(mains: int, numbers: Tensor) -> Tensor:
    return numbers * mains // BIN


def _turns(mains: int, numbers: Tensor, frames: Tensor) -> Tensor:
    """Phase (tones, frames) of tones whose clock is off by all of it."""
    return 2 * torch.pi * HOP_SECONDS * mains * (numbers[:, None] * frames).double()


def _turned(spectrum: Tensor, phase: Tensor) -> Tensor:
    return spectrum * torch.polar(torch.ones_like(phase), phase)


def _mean_over_time(spectra: Tensor, weights: Tensor) -> Tensor:
    """Weighted running means of spectra (..., frames)."""
    kernel = torch.hann_window(2 * MEMORY + 1, periodic=False, dtype=torch.float64)
    size = len(weights) + 2 * MEMORY
    response = torch.fft.fft(kernel, size)

    def smooth(values: Tensor) -> Tensor:
        return torch.fft.ifft(torch.fft.fft(values, size) * response)[..., MEMORY:-MEMORY]

    total = smooth(weights).real.clamp(min=QUIET * float(kernel.sum()))
    return smooth(spectra * weights) / total
