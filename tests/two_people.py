"""Two people's recordings as a dialogue, and how much of one is given to the other."""

import librosa
import numpy as np

from voiceswap import Turn

RATE = 16000
PAUSE = 0.25  # seconds


def in_turns(*recordings: np.ndarray) -> tuple[np.ndarray, list[Turn]]:
    """Two people's recordings, one after another with pauses, and who speaks when."""
    noise, parts, turns, start = np.random.default_rng(0), [], [], 0.0
    for number, samples in enumerate(recordings):
        samples, _ = librosa.effects.trim(samples, top_db=30)
        quiet = samples * (0.05 / np.sqrt(np.square(samples).mean()))
        parts += [quiet, np.zeros(round(PAUSE * RATE), np.float32)]
        end = start + len(samples) / RATE
        turns.append(Turn(start, end, number % 2 + 1))
        start = end + PAUSE
    joined = np.concatenate(parts)
    return joined + 1e-4 * noise.standard_normal(len(joined)).astype(np.float32), turns


def wrong(found: list[Turn], true: list[Turn]) -> float:
    """The share of speech that is given to the other one."""
    speech = sum(turn.end - turn.start for turn in true)
    missed = sum(
        max(0.0, min(ours.end, theirs.end) - max(ours.start, theirs.start))
        for ours in found
        for theirs in true
        if ours.speaker != theirs.speaker
    )
    return missed / speech
