"""Cuts of a long recording at its pauses."""

import numpy as np

from voiceswap.dsp.level import frame_powers, power_frame

SMOOTHING = 11  # frames over which powers are averaged


def cut_at_pauses(samples: np.ndarray, sample_rate: int, seconds: float) -> list[np.ndarray]:
    """`samples` (samples,) in parts of at most `seconds`, cut where they are quietest.

    Several parts are at least a quarter of that long each: a shorter one is of little use.
    """
    frame, power = power_frame(sample_rate), frame_powers(samples, sample_rate)
    longest = int(seconds * sample_rate) // frame
    width = min(len(power), SMOOTHING) | 1
    smooth = np.convolve(power, np.ones(width) / width, "same")
    parts, start = [], 0
    while len(samples) > (start + longest) * frame:
        low, high = start + longest // 2, min(start + longest, len(power) - longest // 4)
        cut = low + int(np.argmin(smooth[low:high]))
        parts.append(samples[start * frame : cut * frame])
        start = cut
    return [*parts, samples[start * frame :]]
