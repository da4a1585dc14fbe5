"""Traces as vectors: the vectors of their spans, pooled."""

from typing import Final

import numpy as np

from graphmind.analysis.behaviour.spans import SPAN_COLUMNS
from graphmind.telemetry.grouped import Floats
from graphmind.telemetry.tree import Ints

POOLINGS: Final = ("sum", "mean", "max")
COLUMNS: Final = tuple(f"{how}_{column}" for how in POOLINGS for column in SPAN_COLUMNS)
"""Of a trace vector."""


def pool(vectors: Floats, first: Ints, how: str) -> Floats:
    """Pool spans (sorted by trace, ``first`` of each given) by one of POOLINGS: (traces, columns).

    Sums are compressed, sign * ln(1 + |sum|): they grow with the size of a trace.
    """
    if not len(first):
        return np.zeros((0, vectors.shape[1]))
    if how == "max":
        highest: Floats = np.maximum.reduceat(vectors, first, axis=0)
        return highest
    total: Floats = np.add.reduceat(vectors, first, axis=0)
    if how == "sum":
        compressed: Floats = np.sign(total) * np.log1p(np.abs(total))
        return compressed
    sizes = np.diff(np.append(first, len(vectors)))
    return total / sizes[:, None]


def pool_all(vectors: Floats, first: Ints) -> Floats:
    """Return all poolings side by side, in the order of POOLINGS: (traces, 3 * columns)."""
    return np.hstack([pool(vectors, first, how) for how in POOLINGS])
