"""Perturbation: the same words in a random other voice, as the content encoder's input.

What is perturbed here and has to be restored by the decoder is pushed out of the content
code, as in Choi et al., "Neural analysis and synthesis" (2021).
"""

import librosa
import numpy as np

ENVELOPE_QUEFRENCIES = (
    32  # cepstral coefficients that count as vocal tract; pitch lies above at 16 kHz
)


def perturb(samples: np.ndarray, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """`samples` (samples,) in a random other voice and channel; same length, float32.

    Pitch moves by up to 5 semitones (formants with it), formants alone by up to 18 %, every octave
    or so by up to 8 dB; one in three loses its highs, two in three get noise at 5 to 35 dB.
    """
    wave = samples
    if rng.random() < 0.7:
        wave = librosa.effects.pitch_shift(
            wave, sr=sample_rate, n_steps=rng.uniform(-5, 5), n_fft=1024, hop_length=256
        )
    spectrum = librosa.stft(wave, n_fft=1024, hop_length=256)
    gain = (
        formant_gain(spectrum, 2 ** rng.uniform(-0.25, 0.25))
        + equaliser_gain(len(spectrum), rng)[:, None]
    )
    if rng.random() < 0.33:
        cutoff = rng.uniform(3000, 7000) / (sample_rate / 2) * len(spectrum)
        gain -= np.clip((np.arange(len(spectrum)) - cutoff) * 0.2, 0, 8)[:, None]
    wave = librosa.istft(spectrum * np.exp(gain), n_fft=1024, hop_length=256, length=len(samples))
    if rng.random() < 0.67:
        wave = add_noise(wave, rng.uniform(5, 35), rng)
    return wave.astype(np.float32)


def formant_gain(spectrum: np.ndarray, factor: float) -> np.ndarray:
    """Log gain (bins, frames) that scales the spectral envelope's frequencies by `factor`."""
    log_magnitude = np.log(np.abs(spectrum) + 1e-5)
    cepstrum = np.fft.irfft(log_magnitude, axis=0)
    cepstrum[ENVELOPE_QUEFRENCIES : len(cepstrum) - ENVELOPE_QUEFRENCIES + 1] = 0
    envelope = np.fft.rfft(cepstrum, axis=0).real
    source = np.clip(np.arange(len(envelope)) / factor, 0, len(envelope) - 1)
    low = np.floor(source).astype(int)
    high, part = np.minimum(low + 1, len(envelope) - 1), (source - low)[:, None]
    return np.clip(envelope[low] * (1 - part) + envelope[high] * part - envelope, -4, 4)


def equaliser_gain(bins: int, rng: np.random.Generator) -> np.ndarray:
    """Log gain (bins,) of a smooth random equaliser of at most 8 dB, with knots in octaves."""
    knots = np.concatenate([[0], np.geomspace(bins / 64, bins, 7)])
    return np.interp(np.arange(bins), knots, rng.uniform(-0.92, 0.92, len(knots)))


def add_noise(wave: np.ndarray, snr_db: float, rng: np.random.Generator) -> np.ndarray:
    """`wave` with noise of a random colour, white to pink and beyond, `snr_db` below its power."""
    spectrum = np.fft.rfft(rng.standard_normal(len(wave)))
    spectrum *= np.arange(1, len(spectrum) + 1) ** -rng.uniform(0, 0.8)
    noise = np.fft.irfft(spectrum, len(wave))
    ratio = np.sqrt(np.mean(wave**2) / np.mean(noise**2)) * 10 ** (-snr_db / 20)
    return wave + ratio * noise
