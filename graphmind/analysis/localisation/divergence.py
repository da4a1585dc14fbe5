"""How surprising a change is, in nats."""

import math

import numpy as np

from graphmind.analysis.incidence import Floats


def growth(now: Floats, before: Floats) -> Floats:
    """Return the generalised Kullback-Leibler divergence of a measure that grew, else 0.

    ``before`` > 0.
    """
    grown = np.maximum(now, before)
    return np.asarray(grown * np.log(grown / before) - (grown - before))


def bernoulli(share: float, reference: float) -> float:
    """Return the Kullback-Leibler divergence of two shares; ``reference`` inside (0, 1)."""
    return _term(share, reference) + _term(1 - share, 1 - reference)


def _term(share: float, reference: float) -> float:
    return share * math.log(share / reference) if share > 0 else 0.0
