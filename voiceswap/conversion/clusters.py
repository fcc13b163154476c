"""Vectors of recordings' windows parted in two, as if two people spoke."""

from collections.abc import Iterator

import numpy as np

AXES, SHARES = 4, (0.1, 0.5, 0.9)  # principal axes, and where guesses part what lies along them


def first_guesses(vectors: np.ndarray, least: int) -> Iterator[np.ndarray]:
    """Unit means (2, channels) of guesses how unit vectors (vectors, channels) may be parted.

    K-means would halve the vectors of one who speaks nearly all the time. So others part them along
    each of the first principal axes, in the middle and near both ends. A side has at least `least`.
    """
    if (clusters := two_clusters(vectors, least)) is not None:
        yield clusters[0]
    if len(vectors) < 2 * least:
        return
    centred = vectors - vectors.mean(0)
    for axis in np.linalg.svd(centred, full_matrices=False)[2][:AXES]:
        along = centred @ axis
        for share in SHARES:
            second = along > np.quantile(along, share)
            if min(np.count_nonzero(second), np.count_nonzero(~second)) >= least:
                yield _means(vectors, second)


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
        means = _means(vectors, second)
        before, second = second, vectors @ means[1] > vectors @ means[0]
        if (before == second).all():
            break
    return means, second


def _means(vectors: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.stack([unit(vectors[~second].mean(0)), unit(vectors[second].mean(0))])


def unit(vector: np.ndarray) -> np.ndarray:
    """A vector at length 1."""
    return vector / np.linalg.norm(vector)
