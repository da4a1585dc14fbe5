"""Which node is at fault, where only totals per node and interval of a call graph are known."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from graphmind.analysis.incidence import Floats
from graphmind.analysis.localisation.divergence import growth

_LEAST = 1e-6
"""Least reference cost, so that a node that cost nothing can be compared."""
_COUPLING_ROWS_MIN = 30
"""Fewer reference intervals say nothing about a correlation. Chosen."""


@dataclass(frozen=True, kw_only=True)
class NodeTotals:
    """Totals of one node; (intervals,) arrays."""

    requests: Floats
    cost: Floats
    """Requests times mean latency, or requests that failed: of what the alarm is about."""


@dataclass(frozen=True, kw_only=True)
class NodeSuspect:
    """A node, and how much of the new cost is its own."""

    node: str
    score: float
    """Divergence of its own cost, times the coupling."""
    excess: float
    """Cost per interval that neither load nor callees explain."""
    expected: float
    """Cost per interval at the reference's cost per request."""
    coupling: float
    """How strongly its cost moved with the alarmed node's in normal operation."""


def localise_nodes(
    callees: Mapping[str, Sequence[str]],
    reference: Mapping[str, NodeTotals],
    window: Mapping[str, NodeTotals],
    *,
    alarmed: str | None = None,
) -> tuple[NodeSuspect, ...]:
    """Rank the nodes that both periods know, most suspect first; equal scores by name."""
    known = reference.keys() & window.keys()
    shares = _shares(callees, {node: reference[node] for node in known})
    alarm = reference[alarmed].cost if alarmed in known else None
    suspects = [_suspect(node, shares[node], reference, window, alarm=alarm) for node in known]
    return tuple(sorted(suspects, key=lambda suspect: (-suspect.score, suspect.node)))


def _shares(
    callees: Mapping[str, Sequence[str]], reference: Mapping[str, NodeTotals]
) -> dict[str, dict[str, float]]:
    """Split the cost of each callee among its callers, by their requests: caller, callee, share."""
    calls = [
        (caller, callee)
        for caller, reached in callees.items()
        for callee in reached
        if caller != callee and caller in reference and callee in reference
    ]
    requests = {node: float(totals.requests.mean()) for node, totals in reference.items()}
    asked: dict[str, float] = defaultdict(float)
    for caller, callee in calls:
        asked[callee] += requests[caller]
    shares: dict[str, dict[str, float]] = {node: {} for node in reference}
    for caller, callee in calls:
        shares[caller][callee] = requests[caller] / asked[callee] if asked[callee] else 0.0
    return shares


def _suspect(
    node: str,
    shares: Mapping[str, float],
    reference: Mapping[str, NodeTotals],
    window: Mapping[str, NodeTotals],
    *,
    alarm: Floats | None,
) -> NodeSuspect:
    before = float(reference[node].requests.mean())
    load = float(window[node].requests.mean()) / before if before else 0.0
    excess = _own_cost(node, shares, window) - load * _own_cost(node, shares, reference)
    expected = max(load * float(reference[node].cost.mean()), _LEAST)
    divergence = growth(np.array(expected + max(excess, 0.0)), np.array(expected))
    coupling = _coupling(reference[node].cost, alarm)
    return NodeSuspect(
        node=node,
        score=float(divergence) * coupling,
        excess=excess,
        expected=expected,
        coupling=coupling,
    )


def _own_cost(node: str, shares: Mapping[str, float], totals: Mapping[str, NodeTotals]) -> float:
    """Cost per interval of a node, without its share of its callees'."""
    below = sum(share * float(totals[callee].cost.mean()) for callee, share in shares.items())
    return float(totals[node].cost.mean()) - below


def _coupling(cost: Floats, alarm: Floats | None) -> float:
    """Correlate a node's cost with the alarmed one's; 1 where that cannot be known."""
    if alarm is None or len(cost) < _COUPLING_ROWS_MIN:
        return 1.0
    if not (cost.std() and alarm.std()):
        return 1.0
    return max(float(np.corrcoef(cost, alarm)[0, 1]), 1 / float(np.sqrt(len(cost))))
