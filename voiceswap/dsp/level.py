"""The level of speech: without pauses and claps."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

# Speech level in training, dB relative to full scale; ITU-T P.56 has the same nominal level.
ACTIVE_LEVEL_DB = -26.0
MIN_SPEECH_LEVEL_DB = -60.0  # speech below this level has only a few bits of 16
POWER_FRAME_RATE = 50  # frames a second of `frame_powers`
TRANSIENT_FRAMES, TRANSIENT_FACTOR, TRANSIENT_MARGIN = 15, 25.0, 5  # see `level_of_powers`


def power_frame(sample_rate: int) -> int:
    """Samples in a frame of `frame_powers`, 20 ms; a rate of no multiple of 50 Hz rounds down."""
    return max(1, sample_rate // POWER_FRAME_RATE)


def frame_powers(samples: np.ndarray, sample_rate: int) -> np.ndarray:
    """Mean power of every whole frame, of 20 ms, of `samples` (samples,)."""
    frame = power_frame(sample_rate)
    return mean_powers(samples[: len(samples) // frame * frame].reshape(-1, frame))


def mean_powers(frames: np.ndarray) -> np.ndarray:
    """Mean power of each of `frames` (frames, samples), (frames,), float64."""
    powers = np.einsum("ij,ij->i", frames, frames).astype(np.float64)
    if not np.isfinite(powers).all():  # a damaged recording's samples, too large to square
        powers = np.einsum("ij,ij->i", frames, frames, dtype=np.float64)
    return powers / frames.shape[1]


def active_level_db(samples: np.ndarray, sample_rate: int) -> float:
    """Level of speech without pauses, dB relative to full scale; see `level_of_powers`."""
    return level_of_powers(frame_powers(samples, sample_rate))


def level_of_powers(power: np.ndarray) -> float:
    """Mean level in dB of the frames that hold speech, of `frame_powers` (frames,).

    Frames 30 dB below the loudest are pauses. Frames 14 dB above the largest running median over
    0.3 s are claps; they and 0.1 s on either side are left out, unless what remains is silence:
    then they are a short word.
    """
    around = sliding_window_view(np.pad(power, TRANSIENT_FRAMES // 2), TRANSIENT_FRAMES)
    middle = TRANSIENT_FRAMES // 2
    medians = np.partition(around, middle, axis=1)[:, middle]
    loud = np.pad(power > medians.max() * TRANSIENT_FACTOR, TRANSIENT_MARGIN)
    near = sliding_window_view(loud, 2 * TRANSIENT_MARGIN + 1).any(1)
    for speech in (power[~near], power):
        active = speech[speech >= speech.max(initial=0.0) * 1e-3]
        level = float(10 * np.log10(active.sum() / max(len(active), 1) + 1e-12))
        if len(active) >= TRANSIENT_FRAMES and level > MIN_SPEECH_LEVEL_DB:
            break
    return level


def set_level(
    samples: np.ndarray, sample_rate: int, level_db: float = ACTIVE_LEVEL_DB
) -> np.ndarray:
    """Scale samples (samples,) to an active level of `level_db`, dB relative to full scale."""
    gain = 10 ** ((level_db - active_level_db(samples, sample_rate)) / 20)
    return (samples * gain).astype(np.float32)
