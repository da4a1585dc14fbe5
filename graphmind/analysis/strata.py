"""Strata: groups of traces whose failures are comparable, so a proxy of the task is no cause."""

import numpy as np
from scipy.cluster.vq import kmeans, vq
from scipy.sparse import csr_array

from graphmind.analysis.incidence import Codes, Flags, Floats, Incidence, Integers

# Measured on planted windows without a task: 16 components and 24 clusters recover the tasks
# (AMI .91) from the items that are on 1 to 70 % of the traces.
SHARE_MIN, SHARE_MAX = 0.01, 0.7
COMPONENTS = 16
CLUSTERS = 24
# Chosen: the most frequent items and an even sample of traces bound the cost at any window size.
ITEMS_MAX = 512
SAMPLE_MAX = 10_000
RESTARTS = 3


def pool_strata(stratum: Codes, failing: Flags, *, strata_max: int) -> tuple[Codes, int]:
    """Renumber the strata from 0, all but those with most failing traces pooled; count them."""
    _, number, size = np.unique(stratum, return_inverse=True, return_counts=True)
    if len(size) <= strata_max:
        return number.astype(np.int32), max(len(size), 1)
    failed = np.bincount(number[failing], minlength=len(size))
    pooled = np.full(len(size), strata_max - 1, np.int32)
    pooled[np.argsort(-failed, kind="stable")[: strata_max - 1]] = np.arange(strata_max - 1)
    return pooled[number], strata_max


def derive_strata(items: Incidence) -> Codes:
    """Cluster traces by the items they touch, where no task is recorded: (n,) cluster of each."""
    points = _principal_components(items)
    if not points.shape[1]:
        return np.zeros(items.height, np.int32)
    step = -(-len(points) // SAMPLE_MAX)
    clusters = min(CLUSTERS, len(np.unique(points[::step], axis=0)))
    centres, _ = kmeans(points[::step], clusters, iter=RESTARTS, rng=np.random.default_rng(0))
    return vq(points, centres)[0].astype(np.int32)


def _principal_components(items: Incidence) -> Floats:
    """Project the standardised item columns: (n, up to COMPONENTS)."""
    chosen, share = _informative(items)
    number = np.full(items.width, -1, np.int32)
    number[chosen] = np.arange(len(chosen))
    kept = items.renumber(number, len(chosen))
    ones = np.ones(len(kept.columns))
    matrix = csr_array((ones, kept.columns, kept.starts), shape=(kept.height, kept.width))
    scale = 1 / np.sqrt(share * (1 - share))
    together = (matrix.T @ matrix).toarray() / max(items.height, 1)
    correlation = (together - np.outer(share, share)) * np.outer(scale, scale)
    _, vectors = np.linalg.eigh(correlation)
    axes = vectors[:, ::-1][:, :COMPONENTS] * scale[:, None]
    return np.asarray(matrix @ axes - share @ axes, np.float64)


def _informative(items: Incidence) -> tuple[Integers, Floats]:
    """Items neither rare nor on nearly every trace, the most frequent ones, and their shares."""
    count = np.bincount(items.columns, minlength=items.width)
    share = count / max(items.height, 1)
    chosen = np.flatnonzero((share >= SHARE_MIN) & (share <= SHARE_MAX))
    chosen = np.sort(chosen[np.argsort(-count[chosen], kind="stable")[:ITEMS_MAX]])
    return chosen, share[chosen]
