"""Means with bootstrap intervals that allow for pairs which share a speaker."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from voiceswap.evaluation.metrics import METRICS

MIN_SPEAKERS = 4  # with fewer, values are drawn instead of speakers


@dataclass(frozen=True)
class Estimate:
    """A mean over `n` values and its 95 % bootstrap interval."""

    mean: float
    low: float
    high: float
    n: int


def bootstrap(
    values: Sequence[float] | np.ndarray,
    speakers: Sequence[Sequence[str]] | None = None,
    resamples: int = 2000,
) -> Estimate:
    """Mean with the 95 % percentile bootstrap interval (Efron, 1979).

    Values that share a speaker are not independent: drawing them one by one gives intervals that
    are too narrow. With `speakers`, speakers are drawn instead, and the weight of a value is the
    product of how often each of its distinct speakers was drawn (the pigeonhole bootstrap of Owen,
    2007, with one draw for both roles, since the same people are sources and targets). With ten
    speakers such an interval covers the true mean about nine times in ten, not 95 in 100.

    Args:
        values: (n,).
        speakers: those that each value depends on, such as a pair's source and target. Without
            them, or with fewer than four, values are drawn.
        resamples: number of draws.

    Raises:
        ValueError: there are no values.
    """
    array = np.asarray(values, dtype=float)
    if not len(array):
        raise ValueError("There are no values to take a mean of.")
    clusters = np.arange(len(array))[:, None]
    if speakers is not None:
        names, indices = np.unique(np.asarray(speakers), return_inverse=True)
        if len(names) >= MIN_SPEAKERS:
            clusters = indices.reshape(len(array), -1)
    count = clusters.max() + 1
    clusters = np.sort(clusters, axis=1)
    clusters[:, 1:][clusters[:, 1:] == clusters[:, :-1]] = count  # a speaker in both roles: once
    drawn = np.random.default_rng(0).multinomial(count, np.full(count, 1 / count), resamples)
    weights = np.pad(drawn, ((0, 0), (0, 1)), constant_values=1)[:, clusters].prod(2)
    totals = weights.sum(1)
    means = (weights @ array)[totals > 0] / totals[totals > 0]
    low, high = np.percentile(means, [2.5, 97.5])
    return Estimate(float(array.mean()), float(low), float(high), len(array))


def summarise(
    rows: Sequence[Mapping[str, float]], speakers: Sequence[Sequence[str]] | None = None
) -> dict[str, Estimate]:
    """Estimates of each metric that any row has, in the order of METRICS.

    Args:
        rows: metrics of each output.
        speakers: of each row, as in `bootstrap`.
    """
    estimates = {}
    for key in METRICS:
        chosen = [index for index, row in enumerate(rows) if key in row]
        if chosen:
            names = None if speakers is None else [speakers[index] for index in chosen]
            estimates[key] = bootstrap([rows[index][key] for index in chosen], names)
    return estimates
