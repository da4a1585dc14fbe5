"""The fingerprint of data: how its values are distributed, and how far other data is from it."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from graphmind.analysis.behaviour.detectors import Arrays
from graphmind.analysis.behaviour.pooling import pool_all
from graphmind.analysis.behaviour.spans import Traces
from graphmind.analysis.behaviour.structure import embed
from graphmind.telemetry.grouped import Floats
from graphmind.telemetry.tree import Bools

BINS: Final = 10
"""Deciles of each column, the practice of the population stability index."""
OPERATIONS: Final = 32
"""Hashed operations whose share of the spans is compared (chosen)."""


@dataclass(frozen=True, kw_only=True)
class Fingerprint:
    """Distributions of healthy traces: pooled span columns, and which operations occur."""

    traces: float
    edges: Floats
    """(columns, BINS - 1), ascending."""
    shares: Floats
    """(columns, BINS)."""
    operations: Floats
    """(OPERATIONS,), shares of the spans."""

    @classmethod
    def take(cls, traces: Traces, healthy: Bools) -> Self:
        """Take the fingerprint of the traces that ``healthy`` names; at least one."""
        values = _values(traces, healthy)
        deciles = np.linspace(0, 1, BINS + 1)[1:-1]
        edges = np.quantile(values, deciles, axis=0, method="lower").T
        return cls(
            traces=float(len(values)),
            edges=edges,
            shares=_shares(values, edges),
            operations=_operations(traces, healthy),
        )

    def distance(self, traces: Traces, healthy: Bools) -> float:
        """Return the largest population stability index over columns and operations.

        What chance alone leads to expect of so few traces is taken off. By convention (Siddiqi
        2006) 0.1 is a small shift and 0.25 a large one.
        """
        values = _values(traces, healthy)
        if not len(values):
            return 0.0
        chance = 1 / self.traces + 1 / len(values)
        columns = _index(self.shares, _shares(values, self.edges), chance)
        operations = _index(self.operations[None], _operations(traces, healthy)[None], chance)
        return float(max(columns.max(), operations.max()))

    def arrays(self) -> dict[str, Floats]:
        """Return what there is to store."""
        return {
            "traces": np.array([self.traces]),
            "edges": self.edges,
            "shares": self.shares,
            "operations": self.operations,
        }

    @classmethod
    def of(cls, arrays: Arrays) -> Self:
        """Take what ``arrays`` gave."""
        return cls(
            traces=float(arrays["traces"][0]),
            edges=arrays["edges"],
            shares=arrays["shares"],
            operations=arrays["operations"],
        )


def _values(traces: Traces, healthy: Bools) -> Floats:
    """Return pooled span columns in float32, as edges are stored: what ties once, ties always."""
    pooled = pool_all(traces.vectors, traces.first)[healthy]
    return pooled.astype(np.float32).astype(np.float64)


def _shares(values: Floats, edges: Floats) -> Floats:
    """Return the share of the values between the edges of their column: (columns, BINS)."""
    return np.stack(
        [
            np.bincount(np.searchsorted(own, column), minlength=BINS) / len(values)
            for own, column in zip(edges, values.T, strict=True)
        ]
    )


def _operations(traces: Traces, healthy: Bools) -> Floats:
    counts = embed(traces.labels[:1], traces.trace, traces.count, OPERATIONS)[healthy].sum(axis=0)
    shares: Floats = counts / max(float(counts.sum()), 1.0)
    return shares


def _index(expected: Floats, actual: Floats, chance: float) -> Floats:
    """Return the index by row, less twice its mean under equal distributions (Yurdakul 2018)."""
    free = ((expected > 0) | (actual > 0)).sum(axis=1) - 1
    before, now = np.maximum(expected, chance / 2), np.maximum(actual, chance / 2)
    index: Floats = ((now - before) * np.log(now / before)).sum(axis=1)
    beyond: Floats = np.maximum(index - 2 * free * chance, 0.0)
    return beyond
