"""The numbers about traces and incidents that a monitoring system draws (S28, S29)."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from graphmind.archive.port import Archive

QUIET = ("ok", "incomplete")
"""Outcomes of traces in which nothing went wrong."""
UNEXPLAINED = "unexplained"


@dataclass(frozen=True, kw_only=True)
class Gauges:
    """The state of the archive in numbers."""

    spans: int
    traces: int
    incidents: int
    trace_complete_ratio: float | None
    """Share of traces of which all spans came; None without traces."""
    trace_anomaly_rate: float | None
    """Share of traces in which something went wrong; None without traces."""
    root_cause_distribution: Mapping[str, int]
    """Incidents by the kind of their first cause, sorted by it."""


def gauges(archive: Archive) -> Gauges:
    """Count what the archive holds; shares are of traces as their weights estimate them."""
    counts, outcomes, incidents = archive.counts(), archive.outcomes(), archive.incidents()
    traces = sum(outcome.traces for outcome in outcomes)
    complete = sum(outcome.traces for outcome in outcomes if outcome.complete)
    anomalous = sum(outcome.traces for outcome in outcomes if outcome.outcome not in QUIET)
    kinds = Counter(_kind(incident) for incident in incidents)
    return Gauges(
        spans=counts["spans"],
        traces=counts["traces"],
        incidents=len(incidents),
        trace_complete_ratio=complete / traces if traces else None,
        trace_anomaly_rate=anomalous / traces if traces else None,
        root_cause_distribution=dict(sorted(kinds.items())),
    )


def _kind(incident: Mapping[str, object]) -> str:
    match incident["causes"]:
        case [{"kind": str(kind)}, *_]:
            return kind
    return UNEXPLAINED
