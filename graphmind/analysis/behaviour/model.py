"""A model of usual behaviour: learnt once, kept, and asked about every trace."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.stats import norm

from graphmind.analysis.behaviour.detectors import Arrays, Reconstruction, fit_trimmed
from graphmind.analysis.behaviour.fingerprint import Fingerprint
from graphmind.analysis.behaviour.groups import Groups
from graphmind.analysis.behaviour.pooling import pool_all
from graphmind.analysis.behaviour.reconstruction import PrincipalComponents
from graphmind.analysis.behaviour.spans import Traces
from graphmind.telemetry.grouped import Floats
from graphmind.telemetry.tree import Bools

METHOD: Final[Reconstruction] = PrincipalComponents()
"""Measured by ``python -m benchmarks behaviour``: the best without labels (average
precision 0.62; autoencoder 0.55, DBSCAN 0.47, K-Means 0.41), equal to DBSCAN with them."""
SPREAD_MIN: Final = 0.05
"""Least standard deviation that a column is divided by (chosen)."""
LIMIT: Final = 0.99
"""Quantile of the loss of healthy traces held out that is an anomaly score of 1."""
TAIL_MAX: Final = 1.25
"""That quantile over the one of a log-normal through median and 90th percentile: measured on four
quiet windows 0.89 to 1.16. What is above is due to anomalies that nobody noticed."""
HELD_OUT: Final = 5
"""Every fifth healthy trace sets the limit and is not learnt from (chosen)."""
LOSS_MIN: Final = 1.0
"""Smaller losses are no difference: traces that are all the same leave rounding only (chosen)."""


@dataclass(frozen=True, kw_only=True)
class Scored:
    """What a model says of some traces."""

    scores: Floats
    """1 is the 99th percentile of healthy traces that the model was not trained on."""
    residuals: Floats
    """(n_traces, columns): how unusual each value is, signed."""


@dataclass(frozen=True, kw_only=True)
class Model:
    """All that was learnt; immutable."""

    trained_ms: int
    centre: Floats
    spread: Floats
    """Centre and scale of each column of a trace vector."""
    learnt: Arrays
    """By METHOD."""
    limit: float
    """Loss that is an anomaly score of 1."""
    groups: Groups
    fingerprint: Fingerprint

    def score(self, traces: Traces) -> Scored:
        """Compare traces with what is usual."""
        vectors = (pool_all(traces.vectors, traces.first) - self.centre) / self.spread
        return Scored(
            scores=METHOD.score(self.learnt, vectors) / self.limit,
            residuals=METHOD.residuals(self.learnt, vectors),
        )


def train(
    traces: Traces, healthy: Bools, *, trained_ms: int, groups: Groups | None = None
) -> Model:
    """Learn from the traces that ``healthy`` names, at least two times HELD_OUT of them.

    ``groups`` of an earlier model stay known by their numbers.
    """
    held_out = np.flatnonzero(healthy)[::HELD_OUT]
    learning = healthy.copy()
    learning[held_out] = False
    vectors = pool_all(traces.vectors, traces.first)
    centre = vectors[learning].mean(axis=0)
    spread = np.maximum(vectors[learning].std(axis=0), SPREAD_MIN)
    vectors = (vectors - centre) / spread
    learnt = fit_trimmed(METHOD, vectors[learning])
    return Model(
        trained_ms=trained_ms,
        centre=centre,
        spread=spread,
        learnt=learnt,
        limit=find_limit(METHOD.score(learnt, vectors[held_out])),
        groups=groups or Groups.none(),
        fingerprint=Fingerprint.take(traces, healthy),
    )


def find_limit(losses: Floats) -> float:
    """Return the 99th percentile of the losses of healthy traces; at most TAIL_MAX of a log-normal.

    Up to a tenth of them may be anomalies, and these are still above it.
    """
    median, high, last = np.quantile(np.log(np.maximum(losses, LOSS_MIN)), [0.5, 0.9, LIMIT])
    deviations = norm.ppf(LIMIT) / norm.ppf(0.9)
    return float(np.exp(min(last, median + (high - median) * deviations + np.log(TAIL_MAX))))
