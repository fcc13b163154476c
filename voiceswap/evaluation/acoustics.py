"""Metrics that compare two recordings without a neural network."""

import numpy as np

from voiceswap.dsp.filters import k_weighted
from voiceswap.dsp.level import active_level_db

MIN_VOICED = 20  # fewest frames voiced in both contours for a correlation
CEPSTRA = 24
QUIET_SECOND_DB = 15.0  # a second this far below the active level is a pause


def f0_correlation(first: np.ndarray, second: np.ndarray) -> float | None:
    """Pearson correlation of log-F0 over the frames that are voiced in both contours.

    A contour that is transposed by any interval correlates fully.

    Args:
        first: F0 in Hz (frames,), 0 where unvoiced.
        second: the same; the longer one is cut.

    Returns:
        -1 to 1; None if fewer than 20 frames are voiced in both or one contour is flat.
    """
    frames = min(len(first), len(second))
    first, second = first[:frames], second[:frames]
    both = (first > 0) & (second > 0)
    if both.sum() < MIN_VOICED:
        return None
    a, b = np.log(first[both].astype(float)), np.log(second[both].astype(float))
    if a.std() < 1e-6 or b.std() < 1e-6:
        return None
    return float(np.corrcoef(a, b)[0, 1])


def voicing_difference(first: np.ndarray, second: np.ndarray) -> float:
    """Share of frames that are voiced in one of two F0 contours (frames,) and not in the other."""
    frames = min(len(first), len(second))
    return float(np.mean((first[:frames] > 0) != (second[:frames] > 0)))


def level_difference(first: np.ndarray, second: np.ndarray, sample_rate: int) -> float | None:
    """Mean difference in dB between the K-weighted levels of every second, every half second.

    Seconds more than 15 dB below the second recording's active level are left out: what is soft
    there is mostly noise.

    Args:
        first, second: samples (samples,); the longer one is cut.
        sample_rate: in Hz.

    Returns:
        0 or more; None where there is no such second.
    """
    length = min(len(first), len(second))
    if length < sample_rate:
        return None
    first, second = (
        np.concatenate(list(k_weighted(iter([x[:length]]), sample_rate))) for x in (first, second)
    )
    active = active_level_db(second, sample_rate)
    differences = []
    for start in range(0, length - sample_rate + 1, sample_rate // 2):
        here = slice(start, start + sample_rate)
        a, b = (10 * np.log10(np.square(x[here]).mean() + 1e-12) for x in (first, second))
        if b > active - QUIET_SECOND_DB:
            differences.append(abs(a - b))
    return float(np.mean(differences)) if differences else None


def mel_cepstrum(samples: np.ndarray, sample_rate: int) -> np.ndarray:
    """Mel cepstra 1 to 24, without silence at the ends.

    c(m) is such that ln|S| = c(0) + sum of c(m) cos(m w) along the mel axis. c(0) is left out, so
    the level does not count.

    Args:
        samples: (samples,).
        sample_rate: in Hz.

    Returns:
        (24, frames), a frame every 10 ms.
    """
    import librosa
    import scipy.fft

    trimmed, _ = librosa.effects.trim(samples, top_db=40)
    size = 1024
    power = librosa.feature.melspectrogram(
        y=trimmed, sr=sample_rate, n_fft=size, hop_length=sample_rate // 100, n_mels=80
    )
    log_magnitude = 0.5 * np.log(np.maximum(power, power.max() * 1e-8))
    return scipy.fft.dct(log_magnitude, type=2, axis=0)[1 : CEPSTRA + 1] / len(log_magnitude)


def cepstral_distortion(first: np.ndarray, second: np.ndarray) -> float:
    """Mel-cepstral distortion in dB (Kubichek, 1993), after dynamic time warping.

    Args:
        first: mel cepstra (24, frames).
        second: the same of another recording; its number of frames may differ.
    """
    import librosa

    _, path = librosa.sequence.dtw(first, second, metric="euclidean")
    difference = first[:, path[:, 0]] - second[:, path[:, 1]]
    return float(10 / np.log(10) * np.sqrt(2 * np.square(difference).sum(0)).mean())
