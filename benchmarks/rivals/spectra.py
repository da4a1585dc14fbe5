"""Scores of single items by how often failing and passing traces touched them."""

import numpy as np

from benchmarks.rivals.view import View, spectrum
from graphmind.analysis.incidence import Flags, Floats

RATIO_MIN = 5.0
"""Least ratio of failure rates: the product's own (algorithms.md, section 4)."""


def ochiai(view: View, failing: Flags) -> Floats:
    """Cosine of touching and failing (Ochiai 1957; Abreu, Zoeteweij, van Gemund 2007)."""
    s = spectrum(view, failing)
    return s.ef / np.sqrt((s.ef + s.nf) * (s.ef + s.ep))


def tarantula(view: View, failing: Flags) -> Floats:
    """Share among failing over the sum of both shares (Jones, Harrold, Stasko 2002)."""
    s = spectrum(view, failing)
    failed, passed = s.ef / (s.ef + s.nf), s.ep / (s.ep + s.np)
    return failed / (failed + passed)


def dstar(view: View, failing: Flags) -> Floats:
    """D* with the star 2 that its authors recommend (Wong, Debroy, Gao, Li 2014)."""
    s = spectrum(view, failing)
    return s.ef**2 / (s.ep + s.nf)


def failure_ratio(view: View, failing: Flags) -> Floats:
    """Failure rate with the item over that without, half a failure added to the latter."""
    s = spectrum(view, failing)
    return (s.ef / (s.ef + s.ep)) / ((s.nf + 0.5) / (s.nf + s.np + 1.0))


def significant_terms(view: View, failing: Flags) -> Floats:
    """JLH, the default of Elasticsearch's significant_terms: (fg - bg) * fg / bg.

    Foreground is the failing traces, background all traces, as in that aggregation.
    """
    s = spectrum(view, failing)
    foreground = s.ef / (s.ef + s.nf)
    background = (s.ef + s.ep) / (s.ef + s.nf + s.ep + s.np)
    return np.where(
        foreground > background, (foreground - background) * foreground / background, 0.0
    )


def share_difference(view: View, failing: Flags) -> Floats:
    """Share in the selection minus share in the baseline: Tempo's compare({status=error}).

    Traces Drilldown shows one value for each attribute, that of the largest difference; here every
    value is ranked, so that two incidents of one attribute can both be found.
    """
    s = spectrum(view, failing)
    return s.ef / (s.ef + s.nf) - s.ep / (s.ep + s.np)
