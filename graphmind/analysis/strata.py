"""Strata: groups of traces whose failures are comparable, so a proxy of the task is no cause."""

import numpy as np
from scipy.cluster.vq import kmeans, vq

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


def derive_strata(items: Incidence, healthy: Flags) -> Codes:
    """Cluster traces by the items they touch, where no task is recorded: (n,) cluster of each.

    Learnt from healthy traces: a failing one touches less than its kind, and handlers besides, and
    strata that tell failing from healthy would explain any failure away.
    """
    rows = np.flatnonzero(healthy)
    rows = rows[:: -(-len(rows) // SAMPLE_MAX) or 1]
    axes, centre = _principal_axes(items, rows)
    if not axes.any():
        return np.zeros(items.height, np.int32)
    points = np.asarray(items.matrix @ axes - centre)
    sample = points[rows]
    clusters = min(CLUSTERS, len(np.unique(sample, axis=0)))
    centres, _ = kmeans(sample, clusters, iter=RESTARTS, rng=np.random.default_rng(0))
    return np.asarray(vq(points, centres)[0], np.int32)


def _principal_axes(items: Incidence, rows: Integers) -> tuple[Floats, Floats]:
    """Principal axes of the rows' standardised items, and their mean on them.

    Axes are (items, up to COMPONENTS), 0 for items that tell nothing.
    """
    sample = items.take(rows)
    count = np.bincount(sample.columns, minlength=items.width)
    share = count / max(len(rows), 1)
    chosen = np.flatnonzero((share >= SHARE_MIN) & (share <= SHARE_MAX))
    chosen = np.sort(chosen[np.argsort(-count[chosen], kind="stable")[:ITEMS_MAX]])
    number = np.full(items.width, -1, np.int32)
    number[chosen] = np.arange(len(chosen))
    matrix = sample.renumber(number, len(chosen)).matrix.astype(np.float64)
    share = share[chosen]
    scale = 1 / np.sqrt(share * (1 - share))
    together = (matrix.T @ matrix).toarray() / max(len(rows), 1)
    correlation = (together - np.outer(share, share)) * np.outer(scale, scale)
    _, vectors = np.linalg.eigh(correlation)
    axes = np.zeros((items.width, min(COMPONENTS, len(chosen))))
    axes[chosen] = vectors[:, ::-1][:, :COMPONENTS] * scale[:, None]
    return axes, share @ axes[chosen]
