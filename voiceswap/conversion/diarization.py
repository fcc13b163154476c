"""Who speaks when in a recording of two people: speaker diarization."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from voiceswap.conversion.clusters import first_guesses, unit
from voiceswap.conversion.disk_array import DiskArray
from voiceswap.conversion.progress import ProgressCallback, part_of
from voiceswap.conversion.speaker_changes import (
    PLACE_SECONDS,
    QUIET_DB,
    likeliest,
    smooth,
    turns_of,
)
from voiceswap.conversion.turns import Turn
from voiceswap.errors import AudioError
from voiceswap.models.speaker_verifier import SpeakerVerifier
from voiceswap.notes import Note, note

HOP = SpeakerVerifier.hop_length
# In the verifier's mel frames:
STEP = round(PLACE_SECONDS * SpeakerVerifier.frame_rate)  # from a place to the next
LONG = SpeakerVerifier.window  # of windows that tell who the two are
SHORT = 80  # of those that tell who speaks at a place
LONG_SHARE = LONG / (LONG + SHORT)  # of the time that the vectors of both take
ROUNDS = 4  # of learning who the two are from who speaks when
PURE = 17  # places around one that are of the same speaker, so that its long window is too
LEAST_PLACES = 8  # of either
ONE_COSINE = 0.95  # of both means, above which nobody tells two people apart
# Of the fit: two people have 0.6 to 4, one person's recording that is parted in two 0.1 to 0.6.
ALIKE_FIT = 0.62
CLEARLY = 1.5  # times the fit of the first guess, by k-means, from which another one is taken
# Something else than the two: the most turns of a recording with it on one side, the highest cosine
# of the two's means, and by how much lower that may be than the cosine of what is on both sides.
BLOCK_TURNS, DISTINCT_COSINE, NEARER = 3, 0.7, 0.05
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
    progress: ProgressCallback = lambda done: None,
) -> list[Turn]:
    """The turns of two people: 1 is the one who speaks first. They cover the recording.

    The verifier's vectors of long windows tell who the two are; short windows' preference for one
    or the other, and what a change costs, give the likeliest sequence, from which both means are
    taken again.

    Args:
        samples: (samples,), at the verifier's rate.
        verifier: the network whose vectors tell people apart.
        name: what errors call the recording.
        progress: is called with the share done; an exception of it ends the search.

    Raises:
        AudioError: no two people can be told apart.
    """
    mel = torch.cat(list(_mels(samples, verifier)), -1)
    level = 10 * np.log10(smooth(mel.sum(0).cpu().numpy(), STEP)[::STEP] + 1e-9)
    speech = level > np.percentile(level, 95) + QUIET_DB
    full = smooth(speech.astype(np.float64), LONG // STEP) > 0.5
    long = _vectors(mel, LONG, verifier, part_of(progress, 0.0, LONG_SHARE))
    short = _vectors(mel, SHORT, verifier, part_of(progress, LONG_SHARE, 1.0))
    places = _Places(long, short, speech, full)

    def check() -> None:
        progress(1.0)

    split = _parted(places, check)
    if split is None or split.means[0] @ split.means[1] > ONE_COSINE:
        raise AudioError(
            f"{name}: no two people can be told apart in it; give a recording in which each of two "
            "speaks for some seconds."
        )
    if (inner := _beside_a_block(places, split, check)) is not None:
        split, block = inner
        text = (
            f": at {_times(block)} s neither of the two seems to speak, but music or another one; "
            "that is converted too (--turns with a list in which it is speaker 3 leaves it so)."
        )
        note(Note(name, text))
    if split.fit < ALIKE_FIT:
        note(Note(name, ALIKE))
    return turns_of(split.second, samples, verifier.sample_rate)


@dataclass(frozen=True)
class _Places:
    """A recording at places, STEP apart: vectors (places, 256) of LONG and SHORT windows around
    each, whether somebody speaks there, and whether in most of the long window.
    """

    long: np.ndarray
    short: np.ndarray
    speech: np.ndarray
    full: np.ndarray

    def part(self, chosen: np.ndarray) -> "_Places":
        """Those that are chosen, (places,) bool."""
        return _Places(*(v[chosen] for v in (self.long, self.short, self.speech, self.full)))


@dataclass(frozen=True)
class _Split:
    """Two people's means (2, 256), whether the second speaks at each place, and `_fit` of both."""

    means: np.ndarray
    second: np.ndarray
    fit: float


def _parted(places: _Places, check: Callable[[], None]) -> _Split | None:
    """The likeliest of the sequences that several first guesses lead to; None without a guess."""
    splits = []
    for means in first_guesses(places.long[places.full], LEAST_PLACES):
        check()
        splits.append(_learned(places, means, ROUNDS))
    best = max(splits, key=lambda split: split.fit, default=None)
    return best if best is None or best.fit > CLEARLY * splits[0].fit else splits[0]


def _learned(places: _Places, means: np.ndarray, rounds: int) -> _Split:
    """Who speaks when by two means (2, 256), which are taken from that again, and so on."""
    long, short, full = places.long, places.short, places.full
    second = long @ (means[1] - means[0]) > 0
    for _ in range(rounds):
        preference = short @ (means[1] - means[0])
        sides = preference[full & second], preference[full & ~second]
        if min(map(len, sides)) == 0:
            break
        middle = (sides[0].mean() + sides[1].mean()) / 2
        deviation = max(preference[full].std(), 1e-6)
        second = likeliest((preference - middle) / deviation, places.speech)
        share = smooth(second.astype(np.float64), PURE)
        pure = [long[full & (share < 0.05)], long[full & (share > 0.95)]]
        if min(map(len, pure)) < LEAST_PLACES:
            break
        means = np.stack([unit(vectors.mean(0)) for vectors in pure])
    speech = places.speech
    return _Split(means, second, _fit(short[speech] @ (means[1] - means[0]), second[speech], means))


def _fit(preference: np.ndarray, second: np.ndarray, means: np.ndarray) -> float:
    """How far apart two people are, by the preferences (places,) of speech and by their means.

    Preferences are compared in deviations. Where one speaks little, the fit is a little lower: the
    fewer the places, the further apart chance puts them.
    """
    sides = preference[second], preference[~second]
    share = second.mean()
    if not 0 < share < 1:
        return 0.0
    deviation = (share * sides[0].var() + (1 - share) * sides[1].var()) ** 0.5
    apart = (sides[0].mean() - sides[1].mean()) / max(deviation, 1e-3)
    return float(apart * (1 - means[0] @ means[1]) * (share * (1 - share)) ** 0.25)


def _beside_a_block(
    places: _Places, split: _Split, check: Callable[[], None]
) -> tuple[_Split, np.ndarray] | None:
    """Two people beside a block of something else, and the block's places (places,) bool.

    Music, or a third person, is about as far from two people as they are from each other. It comes
    in one piece, at most two, while what is left has more turns, of two voices that are far apart.
    """
    count, best = _turn_count(split.second), None
    outer = float(split.means[0] @ split.means[1])
    for side in (False, True) if count <= BLOCK_TURNS else ():
        rest = split.second == side
        inner = _parted(places.part(rest), check)
        if inner is None or _turn_count(inner.second) <= count:
            continue
        cosine = float(inner.means[0] @ inner.means[1])
        if outer - NEARER < cosine < DISTINCT_COSINE and (best is None or cosine < best[0]):
            best = cosine, _learned(places, inner.means, 1), ~rest
    return best and best[1:]


def _turn_count(second: np.ndarray) -> int:
    return 1 + int(np.count_nonzero(second[1:] != second[:-1]))


def _times(block: np.ndarray) -> str:
    """From when to when the pieces of a block (places,) are, in whole seconds."""
    edges = np.flatnonzero(np.diff(block, prepend=False, append=False))
    seconds = (round(edge * PLACE_SECONDS) for edge in edges)
    return ", ".join(f"{first}–{last}" for first, last in zip(seconds, seconds, strict=True))


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
    mel: Tensor, width: int, verifier: SpeakerVerifier, progress: ProgressCallback
) -> np.ndarray:
    """The verifier's vectors (places, 256) of windows of `width` frames around all places."""
    padded = F.pad(mel, (width // 2, width // 2))
    windows = padded.unfold(-1, width, STEP).permute(1, 0, 2)[: -(-mel.shape[-1] // STEP)]
    found: list[Tensor] = []
    for part in windows.split(BATCH):
        progress(BATCH * len(found) / len(windows))
        with torch.inference_mode():
            found.append(verifier.embed_mel(part).cpu())
    return torch.cat(found).numpy()
