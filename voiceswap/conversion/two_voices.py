"""Whether two people speak in a recording, and when, by pitch: a man and a woman."""

import numpy as np

SEGMENT_SECONDS = 0.5  # of speech, whose median pitch is taken
VOICED_SHARE = 0.4  # of a segment that has a pitch
MIN_SEGMENTS = 4  # of each person, at least
MIN_SEMITONES_APART = 7.0  # between the two
MAX_TURN_RATIO = 0.6  # changes from one to the other, relative to those of segments in any order
TURN_SECONDS = 0.5  # of speech around a frame, most of which is of the one who speaks in it
MAX_DEVIATION = 0.3  # standard deviation of one person's segments, relative to the distance


def two_pitches(f0: np.ndarray, frame_rate: float) -> tuple[float, float] | None:
    """The two pitches of a recording in Hz, where there are two, each of several segments.

    The segments' medians in semitones are parted where the deviation within both parts is least,
    which is where that between them is greatest (Otsu, "A threshold selection method from
    gray-level histograms", 1979).

    Args:
        f0: (frames,), Hz, 0 where unvoiced.
        frame_rate: frames a second.
    """
    frames = round(SEGMENT_SECONDS * frame_rate)
    segments = f0[: len(f0) // frames * frames].reshape(-1, frames)
    voiced = [segment[segment > 0] for segment in segments]
    medians = [np.median(part) for part in voiced if len(part) >= VOICED_SHARE * frames]
    semitones = 12 * np.log2(medians) if medians else np.zeros(0)
    pitches = np.sort(semitones)
    if len(pitches) < 2 * MIN_SEGMENTS:
        return None
    places = np.arange(MIN_SEGMENTS, len(pitches) - MIN_SEGMENTS + 1)
    below = pitches.cumsum()[places - 1]
    between = below**2 / places + (pitches.sum() - below) ** 2 / (len(pitches) - places)
    place = places[np.argmax(between)]
    low, high = pitches[:place], pitches[place:]
    apart = float(np.median(high) - np.median(low))
    changes = np.count_nonzero(np.diff(semitones >= pitches[place]))
    turns = changes * len(pitches) / (2 * len(low) * len(high))
    deviation = max(low.std(), high.std())
    if apart < MIN_SEMITONES_APART or deviation > MAX_DEVIATION * apart or turns > MAX_TURN_RATIO:
        return None
    return float(2 ** (np.median(low) / 12)), float(2 ** (np.median(high) / 12))


def who_speaks(f0: np.ndarray, frame_rate: float) -> np.ndarray:
    """The number of the person who speaks in each frame, (frames,): 0 or 1; 0 where one does.

    Arguments are those of `two_pitches`.
    """
    pitches = two_pitches(f0, frame_rate)
    if pitches is None:
        return np.zeros(len(f0), np.int64)
    votes = np.where(f0 > np.sqrt(pitches[0] * pitches[1]), 1.0, -1.0) * (f0 > 0)
    turn = np.ones(round(TURN_SECONDS * frame_rate))
    return (np.convolve(votes, turn, "same") > 0).astype(np.int64)
