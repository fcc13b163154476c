"""Means with the range that another draw of the same size, of other speakers, could have given."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from voiceswap.evaluation.metrics import METRICS

MIN_SPEAKERS = 4  # fewer tell nothing of how much speakers differ


@dataclass(frozen=True)
class Estimate:
    """A mean over `n` values and its 95 % bootstrap interval."""

    mean: float
    low: float
    high: float
    n: int

    def to_dict(self) -> dict:
        """As plain numbers, for a report."""
        return asdict(self)


def bootstrap(
    values: Sequence[float] | np.ndarray,
    speakers: Sequence[Sequence[str]] | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> Estimate:
    """Mean of `values` (n,) with the percentile bootstrap interval (Efron, 1979). Raises ValueError when there are none.

    `speakers` names those that each value depends on, such as a pair's source and target; then speakers are drawn, not
    values, and a value counts as often as all of its speakers were drawn together (the pigeonhole bootstrap of Owen, 2007,
    with one draw for both roles, since the same people have both). Values that share a speaker are not independent, and
    counting them so makes intervals too narrow; with ten speakers the interval still holds the truth about nine times in
    ten, not 95 in 100. Without `speakers`, or with fewer than four, values are drawn.
    """
    array = np.asarray(values, dtype=float)
    if not len(array):
        raise ValueError("There are no values to take a mean of.")
    clusters = np.arange(len(array))[:, None]
    if speakers is not None:
        names, found = np.unique(np.asarray(speakers), return_inverse=True)
        if len(names) >= MIN_SPEAKERS:
            clusters = found.reshape(len(array), -1)
    count = clusters.max() + 1
    drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), resamples)
    weights = drawn[:, clusters].prod(2)
    totals = weights.sum(1)
    means = (weights @ array)[totals > 0] / totals[totals > 0]
    low, high = np.percentile(means, [2.5, 97.5])
    return Estimate(float(array.mean()), float(low), float(high), len(array))


def summarise(
    rows: Sequence[Mapping[str, float]], speakers: Sequence[Sequence[str]] | None = None
) -> dict[str, Estimate]:
    """Estimates of each metric that any of `rows` has, in the order of METRICS; `speakers` of each row as in `bootstrap`."""
    estimates = {}
    for key in METRICS:
        found = [index for index, row in enumerate(rows) if key in row]
        if found:
            theirs = None if speakers is None else [speakers[index] for index in found]
            estimates[key] = bootstrap([rows[index][key] for index in found], theirs)
    return estimates
