"""Who speaks when in a recording of two people: speaker diarization."""

from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from voiceswap.conversion.disk_array import DiskArray
from voiceswap.conversion.turns import PLACES, Turn
from voiceswap.errors import AudioError
from voiceswap.models.speaker_verifier import SpeakerVerifier
from voiceswap.notes import Note, note

HOP = 160  # samples from one of the verifier's mel frames to the next
# In those frames:
STEP = 10  # from a place to the next
LONG, SHORT = 160, 80  # of windows that tell who the two are, and who speaks at a place
QUIET_DB = -25.0  # relative to loud speech: pauses
# What a change of the speaker costs, in deviations of a window's preference for one of the two.
CHANGE, CHANGE_IN_PAUSE = 3.0, 0.5
ROUNDS = 4  # of learning who the two are from who speaks when
PURE = 17  # places around one that are of the same speaker, so that its long window is too
LEAST_PLACES = 8  # of either
# Of both means: two people have 0.4 to 0.86, one person's recording parted in two 0.6 to 0.94.
ONE_COSINE, ALIKE_COSINE = 0.95, 0.86
CUT_WITHIN = 0.4  # seconds around a change in which the quietest place is where turns part
CUT_SECONDS = 0.02  # whose power tells how quiet a place is
LEAST_TURN = 0.2  # seconds
BLOCK_SECONDS = 60
BATCH = 64  # windows at once

ALIKE = (
    ": the two people in it are hard to tell apart, or only one speaks, so parts of it may have "
    "got the wrong voice; check the result."
)


def find_turns(
    samples: DiskArray,
    verifier: SpeakerVerifier,
    name: str,
    check: Callable[[], None] = lambda: None,
) -> list[Turn]:
    """The turns of two people: 1 is the one who speaks first. They cover the recording.

    The verifier's vectors of long windows are parted in two by k-means; short windows' preference
    for one or the other, and what a change costs, give the likeliest sequence (Viterbi, 1967), from
    which both means are taken again.

    Args:
        samples: (samples,), at the verifier's rate.
        verifier: the network whose vectors tell people apart.
        name: what errors call the recording.
        check: called now and then; an exception of it ends the search.

    Raises:
        AudioError: no two people can be told apart.
    """
    mel = torch.cat(list(_mels(samples, verifier)), -1)
    level = 10 * np.log10(_smooth(mel.sum(0).cpu().numpy(), STEP)[::STEP] + 1e-9)
    speech = level > np.percentile(level, 95) + QUIET_DB
    full = _smooth(speech.astype(np.float64), LONG // STEP) > 0.5  # long windows with speech
    long, short = (_vectors(mel, width, verifier, check) for width in (LONG, SHORT))
    clusters = two_clusters(long[full], LEAST_PLACES)
    if clusters is None or clusters[0][0] @ clusters[0][1] > ONE_COSINE:
        raise AudioError(
            f"{name}: no two people can be told apart in it; give a recording in which each of two "
            "speaks for some seconds."
        )
    means, _ = clusters
    second = long @ (means[1] - means[0]) > 0
    costs = np.where(speech, CHANGE, CHANGE_IN_PAUSE)
    for _ in range(ROUNDS):
        preference = short @ (means[1] - means[0])
        sides = preference[full & second], preference[full & ~second]
        middle = (sides[0].mean() + sides[1].mean()) / 2
        preference = (preference - middle) / preference[full].std() * speech
        second = _likeliest(preference, costs)
        share = _smooth(second.astype(np.float64), PURE)
        pure = [long[full & (share < 0.05)], long[full & (share > 0.95)]]
        if min(map(len, pure)) < LEAST_PLACES:
            break
        means = np.stack([_unit(vectors.mean(0)) for vectors in pure])
    if means[0] @ means[1] > ALIKE_COSINE:
        note(Note(name, ALIKE))
    return turns_of(second, samples, verifier.sample_rate)


def two_clusters(vectors: np.ndarray, least: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Unit means (2, channels) of two clusters of unit vectors, and which are in the second.

    K-means begins with the first principal axis (Ding and He, "K-means clustering via principal
    component analysis", 2004). None where a cluster has fewer than `least` vectors.
    """
    if len(vectors) < 2 * least:
        return None
    centred = vectors - vectors.mean(0)
    second = centred @ np.linalg.svd(centred, full_matrices=False)[2][0] > 0
    for _ in range(10):
        if min(np.count_nonzero(second), np.count_nonzero(~second)) < least:
            return None
        means = np.stack([_unit(vectors[~second].mean(0)), _unit(vectors[second].mean(0))])
        before, second = second, vectors @ means[1] > vectors @ means[0]
        if (before == second).all():
            break
    return means, second


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)


def _smooth(values: np.ndarray, width: int) -> np.ndarray:
    """Means of `width` values around each."""
    around = np.pad(values, (width // 2, (width - 1) // 2), "edge")
    return np.convolve(around, np.ones(width) / width, "valid")


def _mels(samples: DiskArray, verifier: SpeakerVerifier) -> Iterator[Tensor]:
    """Mel powers (40, frames) of blocks, at the level that the verifier was trained on."""
    block = BLOCK_SECONDS * verifier.sample_rate
    power = sum(float(part @ part) for part in samples.blocks(block)) / len(samples)
    gain = 10 ** (verifier.level_db / 20) / max(power, 1e-12) ** 0.5
    device = next(verifier.parameters()).device
    for part in samples.blocks(block):
        wave = torch.from_numpy(gain * part).to(device)
        with torch.inference_mode():
            yield verifier.mel(wave[None])[0, :, : -(-len(part) // HOP)]


def _vectors(
    mel: Tensor, width: int, verifier: SpeakerVerifier, check: Callable[[], None]
) -> np.ndarray:
    """The verifier's vectors (places, 256) of windows of `width` frames around all places."""
    padded = F.pad(mel, (width // 2, width // 2))
    windows = padded.unfold(-1, width, STEP).permute(1, 0, 2)[: -(-mel.shape[-1] // STEP)]
    found = []
    for part in windows.split(BATCH):
        check()
        with torch.inference_mode():
            found.append(verifier.embed_mel(part).cpu())
    return torch.cat(found).numpy()


def _likeliest(preference: np.ndarray, costs: np.ndarray) -> np.ndarray:
    """Whether the second speaks at each place, where changes cost something."""
    best, came = np.zeros(2), np.zeros((len(costs), 2), np.int64)
    for place, (gain, cost) in enumerate(zip(preference, costs, strict=True)):
        moved = best[::-1] - cost
        came[place] = np.where(best >= moved, (0, 1), (1, 0))
        best = np.maximum(best, moved)
        best[1] += gain
    state, path = int(best[1] > best[0]), np.zeros(len(costs), bool)
    for place in range(len(costs) - 1, -1, -1):
        path[place] = state
        state = came[place, state]
    return path


def turns_of(second: np.ndarray, samples: DiskArray, rate: int) -> list[Turn]:
    """Turns from whether the second speaks at each place; they part where it is quietest.

    Those shorter than LEAST_TURN go to the turns around them.
    """
    least = LEAST_TURN * rate
    starts: list[tuple[int, bool]] = [(0, bool(second[0]))]
    for place in np.flatnonzero(second[1:] != second[:-1]):
        edge = _quietest(samples, round((place + 0.5) * STEP * HOP), rate)
        if len(samples) - edge < least:
            break
        if edge - starts[-1][0] < least:
            edge, _ = starts.pop()
        if not starts or starts[-1][1] != second[place + 1]:
            starts.append((edge, bool(second[place + 1])))
    seconds = [round(edge / rate, PLACES) for edge, _ in starts]
    last = round(len(samples) / rate, PLACES)
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
