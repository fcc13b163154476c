"""Perturbation: the same words in a random other voice, as the content encoder's input.

What is perturbed here and has to be restored by the decoder is pushed out of the content code, as
in Choi et al., "Neural analysis and synthesis" (2021).
"""

import math
from functools import cache

import numpy as np
import soxr
import torch
import torchaudio.functional
from torch import Tensor

from voiceswap.dsp.spectra import istft, stft

N_FFT, HOP = 1024, 256
ENVELOPE_QUEFRENCIES = 32  # cepstral coefficients of the vocal tract; pitch lies above at 16 kHz

MOVED_SHARE, MAX_SHIFT_SEMITONES = 0.7, 5.0  # share of recordings whose pitch moves, by at most
FORMANT_OCTAVES = 0.25  # by which formants alone move, at most
FORMANT_GAIN = 4.0  # nepers by which that changes a bin, at most
EQUALISER_GAIN, KNOTS = 0.92, 8  # nepers, at most, and their number
DULL_SHARE, CUTOFFS = 0.33, (3000.0, 7000.0)  # share that loses its highs, above so many Hz
DULL_SLOPE, DULL_GAIN = 100.0, 8.0  # nepers lost a whole band above there, and at most
NOISY_SHARE, SNR_DB = 0.67, (5.0, 35.0)  # share that gets noise, and how far below the power
COLOUR = 0.8  # highest power of 1 / frequency in the amplitude of that noise


def perturb(samples: np.ndarray, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """`samples` (samples,) in a random other voice and channel; same length, float32.

    Pitch moves by up to 5 semitones (formants with it), formants alone by up to 18 %, every octave
    or so by up to 8 dB; one in three loses its highs, two in three get noise at 5 to 35 dB.
    """
    wave, window = samples, torch.hann_window(N_FFT)
    if rng.random() < MOVED_SHARE:
        semitones = rng.uniform(-MAX_SHIFT_SEMITONES, MAX_SHIFT_SEMITONES)
        wave = shift_pitch(wave, sample_rate, semitones)
    spectrum = stft(torch.from_numpy(wave), window, HOP).numpy()
    formants = 2 ** rng.uniform(-FORMANT_OCTAVES, FORMANT_OCTAVES)
    equaliser = rng.uniform(-EQUALISER_GAIN, EQUALISER_GAIN, KNOTS)
    cutoff = rng.uniform(*CUTOFFS) if rng.random() < DULL_SHARE else math.inf
    cepstrum = np.fft.irfft(np.log(np.abs(spectrum) + 1e-5), axis=0)
    cepstrum[ENVELOPE_QUEFRENCIES : len(cepstrum) - ENVELOPE_QUEFRENCIES + 1] = 0
    envelope = torch.from_numpy(np.fft.rfft(cepstrum, axis=0).real)
    draws = (torch.from_numpy(np.array([draw])) for draw in (formants, equaliser, cutoff))
    gain = _log_gain(envelope[None], sample_rate, *draws)[0].numpy()
    changed = torch.from_numpy((spectrum * np.exp(gain)).astype(np.complex64))
    wave = istft(changed, window, HOP, len(samples)).numpy()
    if rng.random() < NOISY_SHARE:
        wave = add_noise(wave, rng.uniform(*SNR_DB), rng)
    return wave.astype(np.float32)


def shift_pitch(samples: np.ndarray, sample_rate: int, semitones: float) -> np.ndarray:
    """`samples` (samples,) with pitch and formants moved, by a phase vocoder; same length."""
    rate = 2 ** (-semitones / 12)
    window, advance = torch.hann_window(N_FFT), torch.linspace(0, math.pi * HOP, N_FFT // 2 + 1)
    spectrum = stft(torch.from_numpy(samples), window, HOP)
    slowed = torchaudio.functional.phase_vocoder(spectrum, rate, advance[:, None])
    slow = istft(slowed, window, HOP, round(len(samples) / rate)).numpy()
    shifted = soxr.resample(slow, sample_rate / rate, sample_rate)[: len(samples)]
    return np.pad(shifted, (0, len(samples) - len(shifted))).astype(np.float32)


def add_noise(wave: np.ndarray, snr_db: float, rng: np.random.Generator) -> np.ndarray:
    """`wave` with noise of a random colour, white to pink and beyond, `snr_db` below its power."""
    spectrum = np.fft.rfft(rng.standard_normal(len(wave)))
    spectrum *= np.arange(1, len(spectrum) + 1) ** -rng.uniform(0, COLOUR)
    noise = np.fft.irfft(spectrum, len(wave))
    ratio = np.sqrt(np.mean(wave**2) / np.mean(noise**2)) * 10 ** (-snr_db / 20)
    return wave + ratio * noise


def perturb_powers(powers: Tensor, sample_rate: int) -> Tensor:
    """Power spectra (batch, bins, frames) as `perturb` changes recordings; the draws are torch's.

    Frequencies are moved instead of the waveform's pitch, so it is quick on any device.
    """
    (batch, bins, _), device = powers.shape, powers.device

    def drawn(low: float, high: float, *shape: int) -> Tensor:
        return torch.empty(batch, *shape, device=device).uniform_(low, high)

    chance = drawn(0, 1, 3)
    semitones = drawn(-MAX_SHIFT_SEMITONES, MAX_SHIFT_SEMITONES) * (chance[:, 0] < MOVED_SHARE)
    moved = _frequencies_scaled(powers, 2 ** (semitones / 12)).clamp(min=1e-12)
    log_magnitude = moved.log() / 2
    formants = 2 ** drawn(-FORMANT_OCTAVES, FORMANT_OCTAVES)
    equaliser = drawn(-EQUALISER_GAIN, EQUALISER_GAIN, KNOTS)
    cutoff = torch.where(chance[:, 1] < DULL_SHARE, drawn(*CUTOFFS), math.inf)
    cepstrum = torch.fft.irfft(log_magnitude, dim=1)
    cepstrum[:, ENVELOPE_QUEFRENCIES : cepstrum.shape[1] - ENVELOPE_QUEFRENCIES + 1] = 0
    envelope = torch.fft.rfft(cepstrum, dim=1).real
    gain = _log_gain(envelope, sample_rate, formants, equaliser, cutoff)
    changed = (2 * (log_magnitude + gain)).exp()
    changed = changed * powers.mean((1, 2), True) / changed.mean((1, 2), True)
    colour = torch.arange(1, bins + 1, device=device) ** -(2 * drawn(0, COLOUR, 1))
    noise = torch.empty_like(powers).exponential_() * colour[..., None]
    ratio = changed.mean((1, 2), True) / noise.mean((1, 2), True)
    noisy = (chance[:, 2] < NOISY_SHARE)[:, None, None]
    return changed + noisy * ratio * 10 ** (-drawn(*SNR_DB, 1, 1) / 10) * noise


def _log_gain(
    envelope: Tensor, sample_rate: int, formants: Tensor, equaliser: Tensor, cutoff: Tensor
) -> Tensor:
    """Log gain (batch, bins, frames) that moves formants, equalises, and takes the highs away.

    Args:
        envelope: the vocal tract's part of log magnitudes, (batch, bins, frames).
        sample_rate: Hz.
        formants: factor of the envelope's frequencies, (batch,).
        equaliser: log gains of its knots, (batch, KNOTS).
        cutoff: Hz above which highs are lost, (batch,); infinite where they stay.
    """
    bins = envelope.shape[1]
    moved = _frequencies_scaled(envelope, formants) - envelope
    shares = torch.from_numpy(knots_to_bins(bins)).to(equaliser)
    gain = moved.clamp(-FORMANT_GAIN, FORMANT_GAIN) + (equaliser @ shares)[..., None]
    places = torch.arange(bins, dtype=cutoff.dtype, device=cutoff.device) / bins
    above = places - cutoff[:, None] / (sample_rate / 2)
    return gain - (above * DULL_SLOPE).clamp(0, DULL_GAIN)[..., None]


@cache
def knots_to_bins(bins: int) -> np.ndarray:
    """Share (knots, bins) of each knot of an equaliser in each bin; knots are in octaves."""
    knots = np.concatenate([[0], np.geomspace(bins / 64, bins, KNOTS - 1)])
    return np.stack([np.interp(np.arange(bins), knots, knot) for knot in np.eye(KNOTS)])


def _frequencies_scaled(x: Tensor, factor: Tensor) -> Tensor:
    """x (batch, bins, frames) with what is at a frequency moved to `factor` (batch,) times it."""
    bins = torch.arange(x.shape[1], device=x.device)
    source = (bins / factor[:, None]).clamp(max=x.shape[1] - 1)
    low = source.long()
    high, part = (low + 1).clamp(max=x.shape[1] - 1), (source - low)[..., None]
    rows = torch.arange(len(x), device=x.device)[:, None]
    return x[rows, low] * (1 - part) + x[rows, high] * part
