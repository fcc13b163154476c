"""Cuts of a long recording at its pauses."""

import numpy as np

from voiceswap.audio import frame_powers

FRAME = 0.02  # seconds; that of `frame_powers`


def cut_at_pauses(samples: np.ndarray, sample_rate: int, seconds: float) -> list[np.ndarray]:
    """`samples` (samples,) in parts of at most `seconds`, cut where they are quietest."""
    frame, longest = round(FRAME * sample_rate), round(seconds / FRAME)
    power = frame_powers(samples, sample_rate)
    width = min(len(power), 10) | 1
    smooth = np.convolve(power, np.ones(width) / width, "same")
    parts, start = [], 0
    while len(power) - start > longest:
        low = start + longest // 2
        cut = low + int(np.argmin(smooth[low : start + longest]))
        parts.append(samples[start * frame : cut * frame])
        start = cut
    return [*parts, samples[start * frame :]]
