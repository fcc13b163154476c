"""Means with the range that another draw of the same size could have given."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from voiceswap.evaluation.figures import FIGURES


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


def bootstrap(values: Sequence[float] | np.ndarray, resamples: int = 2000, seed: int = 0) -> Estimate:
    """Mean of `values` (n,) with the percentile bootstrap interval (Efron, 1979). Raises ValueError when there are none.

    Values count as independent draws; pairs that share speakers are less than that, so the true interval is wider.
    """
    array = np.asarray(values, dtype=float)
    if not len(array):
        raise ValueError("There are no values to take a mean of.")
    drawn = np.random.default_rng(seed).integers(len(array), size=(resamples, len(array)))
    low, high = np.percentile(array[drawn].mean(1), [2.5, 97.5])
    return Estimate(float(array.mean()), float(low), float(high), len(array))


def summarise(rows: Sequence[Mapping[str, float]]) -> dict[str, Estimate]:
    """Estimates of each figure that any of `rows` has, in the order of FIGURES."""
    values = {key: [row[key] for row in rows if key in row] for key in FIGURES}
    return {key: bootstrap(found) for key, found in values.items() if found}
