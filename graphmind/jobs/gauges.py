"""The numbers about traces and incidents that a monitoring system draws (S28, S29)."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from graphmind.archive.port import Archive
from graphmind.incidents.lifecycle import CLOSED
from graphmind.jobs.cases import CASE

QUIET = ("ok", "incomplete")
"""Outcomes of traces in which nothing went wrong."""
UNEXPLAINED = "unexplained"
FALSE_POSITIVE = "false_positive"
"""The label by which a person says that an incident was none (``graphmind confirm``)."""
HOUR_NS = 3_600_000_000_000
SECOND_NS = 1_000_000_000
AGENTS_MAX = 100
"""Agents whose latency is shown, those with most traces: each is a series (chosen)."""


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
    open_incidents: int
    """Of those, not closed."""
    fallback_usage_rate: float | None
    """Share of the last hour's traces in which a fallback answered; None without traces."""
    trace_recovery_rate: float | None
    """Share of the last hour's traces that ended well after a repair."""
    false_positive_rate: float | None
    """Of the incidents that a person or a measured repair judged, the share that a person said was
    none; None where none was judged."""
    agent_trace_latency_p95_s: Mapping[str, float]
    """By agent, of the last hour's traces that it took part in."""


def gauges(archive: Archive, *, now_ns: int) -> Gauges:
    """Count what the archive holds; shares are of traces as their weights estimate them."""
    fallback, recovered = archive.rates(now_ns - HOUR_NS)
    latencies = archive.agent_latency_p95(now_ns - HOUR_NS, agents_max=AGENTS_MAX)
    counts, outcomes, causes = archive.counts(), archive.outcomes(), archive.tallies.causes()
    traces = sum(outcome.traces for outcome in outcomes)
    complete = sum(outcome.traces for outcome in outcomes if outcome.complete)
    anomalous = sum(outcome.traces for outcome in outcomes if outcome.outcome not in QUIET)
    kinds: Counter[str] = Counter()
    for (kind, _), count in causes.items():
        kinds[kind or UNEXPLAINED] += count
    judged = archive.tallies.words(CASE, "label")
    return Gauges(
        spans=counts["spans"],
        traces=counts["traces"],
        incidents=sum(causes.values()),
        trace_complete_ratio=complete / traces if traces else None,
        trace_anomaly_rate=anomalous / traces if traces else None,
        root_cause_distribution=dict(sorted(kinds.items())),
        open_incidents=sum(n for (_, state), n in causes.items() if state != CLOSED),
        fallback_usage_rate=fallback,
        trace_recovery_rate=recovered,
        false_positive_rate=(
            judged.get(FALSE_POSITIVE, 0) / sum(judged.values()) if judged else None
        ),
        agent_trace_latency_p95_s={
            agent: latency / SECOND_NS for agent, latency in sorted(latencies.items())
        },
    )
