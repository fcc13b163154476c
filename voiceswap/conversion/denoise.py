"""Removes steady noise, which would become part of a voice, or cost words and fill pauses."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F

from voiceswap.dsp import spectra
from voiceswap.dsp.level import active_level_db
from voiceswap.dsp.spectra import power
from voiceswap.models.denoiser import Denoiser

WINDOW_SECONDS, HOP_SECONDS = 0.032, 0.008  # of the Fourier transform
# Frames over which power is averaged before its lowest parts are taken for noise, 0.2 s, and from
# one such mean to the next.
VALLEY_FRAMES, VALLEY_STEP = 25, 5
VALLEY_SECONDS = VALLEY_STEP * HOP_SECONDS
# The quantile over time that estimates the noise's power, and the factor that corrects its bias.
NOISE_QUANTILE, QUANTILE_BIAS = 0.05, 1.2
SPEECH_AVERAGE = (5, 3)  # frames and bins over which power is averaged to tell speech from noise
OVERSUBTRACTION = 1.5  # factor of the noise's power that is subtracted
MIN_SECONDS = 2.0  # shorter recordings may have no pause
PAUSE_DB = 3.5  # by how much the quietest frames may exceed the quietest parts of each frequency
# Each dB of noise above NOISY_DB lowers what remains by another NOISY_SLOPE dB.
NOISY_DB, NOISY_SLOPE = -27.0, 0.7
FIRST_BIN = 2  # of what counts: below 60 Hz are an offset and rumble
# Deviation of noise from its running mean over so many bins, at most.
RIPPLE_DB, RIPPLE_BINS = 2.5, 13
RIPPLE_BAND = (200.0, 3000.0)  # Hz; where harmonics show


class NoiseLevels(NamedTuple):
    """Levels of noise relative to the speech, in dB.

    Noise below `inaudible` stays, noise above is lowered to it; noise above `loudest` stays.
    """

    inaudible: float
    loudest: float


OF_SOURCES = NoiseLevels(-33.0, -6.0)  # removing louder noise costs words
# The words of references don't matter, and their noise would be in every conversion.
OF_REFERENCES = NoiseLevels(-40.0, -2.0)


@dataclass(frozen=True)
class SteadyNoise:
    """Power (bins, 1) of a noise that never pauses, and the least gain that is applied to it."""

    power: torch.Tensor
    least: float

    def remove_from(self, spectrum: torch.Tensor) -> torch.Tensor:
        """Remove the noise from a spectrum (bins, frames) by `stft`.

        A Wiener filter with over-subtraction (Berouti et al., 1979) does it.
        """
        average = moving_average(power(spectrum), *SPEECH_AVERAGE)
        speech = (average - OVERSUBTRACTION * self.power).clamp(min=0.0)
        gain = speech / (speech + self.power).clamp(min=1e-20)
        return spectrum * gain.clamp(min=self.least)


def denoise(samples: np.ndarray, sample_rate: int, levels: NoiseLevels = OF_SOURCES) -> np.ndarray:
    """`samples` (samples,) with steady noise brought down to an inaudible level, or lower.

    See `find_noise`. What is too short or has no such noise comes back as it was.
    """
    if len(samples) < MIN_SECONDS * sample_rate:
        return samples
    spectrum = stft(samples, sample_rate)
    level_db = active_level_db(samples - samples.mean(), sample_rate)
    # In memory a frame's bins are neighbours: summed as such, they take a tenth of the time of
    # `moving_average`.
    valleys = power(spectrum).mT.unfold(0, VALLEY_FRAMES, VALLEY_STEP).mean(-1).mT
    noise = find_noise(valleys, level_db, sample_rate, levels)
    if noise is None:
        return samples
    return istft(noise.remove_from(spectrum), sample_rate, len(samples))


def enhance(denoiser: Denoiser, samples: np.ndarray) -> np.ndarray:
    """A reference (samples,) at the normal level with noise brought down as `denoise` does.

    What the network removes is the noise, steady or not.
    """
    wave = torch.from_numpy(samples).to(denoiser.window.device)
    speech = denoiser(wave[None])[0]
    noise = wave - speech
    level_db = 10 * float((noise.square().mean() + 1e-12).log10())
    above_speech = level_db - active_level_db(samples, denoiser.audio.sample_rate)
    if above_speech <= OF_REFERENCES.inaudible:
        return samples
    least = _least_gain(above_speech, OF_REFERENCES.inaudible)
    return (speech + least * noise).cpu().numpy()


def _least_gain(above_speech: float, inaudible_db: float) -> float:
    """The gain of noise whose level relative to the speech is `above_speech` dB."""
    left_db = inaudible_db - NOISY_SLOPE * max(0.0, above_speech - NOISY_DB)
    return 10 ** ((left_db - above_speech) / 20)


def find_noise(
    valleys: torch.Tensor, speech_db: float, sample_rate: int, levels: NoiseLevels = OF_SOURCES
) -> SteadyNoise | None:
    """The steady noise of a recording, known from the quietest twentieth of every frequency.

    That is minimum statistics (Martin, 2001). There is none to remove in what has little, in what
    has noise above the loudest of `levels`, in what has no pause, where the quietest
    parts are speech, and in what is steady but has harmonics, as a held note has. A pause is quiet
    at all frequencies at once; speech is at one frequency now and at another then.

    Args:
        valleys: power by `stft`, averaged over VALLEY_FRAMES, (bins, frames).
        speech_db: active level.
        sample_rate: Hz.
        levels: of noise that is removed.
    """
    noise = QUANTILE_BIAS * valleys.quantile(NOISE_QUANTILE, dim=1, keepdim=True)
    audible = noise[FIRST_BIN:].sum()
    quietest = QUANTILE_BIAS * valleys[FIRST_BIN:].sum(0).quantile(NOISE_QUANTILE)
    if quietest > 10 ** (PAUSE_DB / 10) * audible:
        return None
    window = _window(sample_rate)
    level_db = 10 * float((2 * audible / (len(window) * window.square().sum()) + 1e-12).log10())
    above_speech = level_db - speech_db
    if not levels.inaudible < above_speech < levels.loudest or _has_harmonics(
        noise[:, 0], sample_rate
    ):
        return None
    return SteadyNoise(noise, _least_gain(above_speech, levels.inaudible))


def stft(samples: np.ndarray, sample_rate: int) -> torch.Tensor:
    """Spectrum (bins, frames) of samples (samples,), HOP_SECONDS from frame to frame."""
    wave, hop = torch.from_numpy(samples), round(HOP_SECONDS * sample_rate)
    return spectra.stft(wave, _window(sample_rate), hop)


def istft(spectrum: torch.Tensor, sample_rate: int, length: int) -> np.ndarray:
    """Samples (length,) of a spectrum by `stft`."""
    hop = round(HOP_SECONDS * sample_rate)
    return spectra.istft(spectrum, _window(sample_rate), hop, length).numpy()


def _window(sample_rate: int) -> torch.Tensor:
    size = round(WINDOW_SECONDS * sample_rate / 2) * 2
    return torch.hann_window(size, dtype=torch.float32, device="cpu")


def _has_harmonics(noise: torch.Tensor, sample_rate: int) -> bool:
    """Whether powers (bins,) rise and fall from bin to bin, as those of a voice do."""
    level_db = 10 * (noise + 1e-14).log10()
    smooth = moving_average(level_db[:, None], 1, RIPPLE_BINS)[:, 0]
    first, last = (round(edge / (sample_rate / 2) * (len(noise) - 1)) for edge in RIPPLE_BAND)
    return float((level_db - smooth)[first:last].std()) > RIPPLE_DB


def moving_average(powers: torch.Tensor, frames: int, bins: int = 1) -> torch.Tensor:
    """Running means of powers (bins, frames) over an odd number of frames and of bins."""
    return F.avg_pool2d(
        powers[None], (bins, frames), 1, (bins // 2, frames // 2), count_include_pad=False
    )[0]
