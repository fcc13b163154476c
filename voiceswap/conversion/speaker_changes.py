"""From preferences for one of two people, at places PLACE_SECONDS apart, to their turns."""

from itertools import pairwise

import numpy as np

from voiceswap.conversion.disk_array import DiskArray
from voiceswap.conversion.turns import DECIMALS, Turn

PLACE_SECONDS = 0.1  # from a place to the next
QUIET_DB = -25.0  # relative to loud speech: pauses
CHANGE, CHANGE_IN_PAUSE = 3.0, 0.5  # what a change of the speaker costs, in deviations
CUT_WITHIN = 0.4  # seconds around a change in which the quietest place is where turns part
CUT_SECONDS = 0.02  # whose power tells how quiet a place is
LEAST_FOUND = 0.2  # seconds of a turn that is found


def likeliest(preference: np.ndarray, speech: np.ndarray) -> np.ndarray:
    """Whether the second speaks at each place (places,): the likeliest sequence (Viterbi, 1967).

    Args:
        preference: for the second, in deviations, (places,).
        speech: whether somebody speaks, (places,) bool. Pauses prefer nobody.
    """
    preference = preference * speech
    costs = np.where(speech, CHANGE, CHANGE_IN_PAUSE)
    leads, lead = np.zeros(len(costs)), 0.0  # by how much the second's best sequence is the better
    for place, (gain, cost) in enumerate(zip(preference.tolist(), costs.tolist(), strict=True)):
        leads[place] = lead
        lead = min(max(lead, -cost), cost) + gain
    state, path = lead > 0, np.zeros(len(costs), bool)
    for place in range(len(costs) - 1, -1, -1):
        path[place] = state
        if abs(leads[place]) > costs[place]:
            state = bool(leads[place] > 0)
    return path


def turns_of(second: np.ndarray, samples: DiskArray, rate: int) -> list[Turn]:
    """Turns from whether the second speaks at each place; they part where it is quietest.

    1 is the one who speaks first. Turns shorter than LEAST_FOUND go to those around them.
    """
    least = LEAST_FOUND * rate
    starts: list[tuple[int, bool]] = [(0, bool(second[0]))]
    for place in np.flatnonzero(second[1:] != second[:-1]):
        edge = _quietest(samples, round((place + 0.5) * PLACE_SECONDS * rate), rate)
        if len(samples) - edge < least:
            break
        if edge - starts[-1][0] < least:
            edge, _ = starts.pop()
        if not starts or starts[-1][1] != second[place + 1]:
            starts.append((edge, bool(second[place + 1])))
    seconds = [round(edge / rate, DECIMALS) for edge, _ in starts]
    last = round(len(samples) / rate, DECIMALS)
    first_speaker = starts[0][1]
    return [
        Turn(start, end, 1 if speaker == first_speaker else 2)
        for (start, end), (_, speaker) in zip(pairwise([*seconds, last]), starts, strict=True)
    ]


def _quietest(samples: DiskArray, near: int, rate: int) -> int:
    """The quietest place within CUT_WITHIN of a sample."""
    first = max(0, near - round(CUT_WITHIN * rate))
    width = round(CUT_SECONDS * rate)
    part = samples.read(first, near + round(CUT_WITHIN * rate))
    powers = np.convolve(np.square(part), np.ones(width), "valid")
    return first + width // 2 + int(np.argmin(powers))


def smooth(values: np.ndarray, width: int) -> np.ndarray:
    """Means of `width` values around each."""
    around = np.pad(values, (width // 2, (width - 1) // 2), "edge")
    return np.convolve(around, np.ones(width) / width, "valid")
