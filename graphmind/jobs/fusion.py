"""Lines and anomalies, read and joined to the spans of one trace (S19)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graphmind.archive.signals import Between, Signals
from graphmind.settings import Settings
from graphmind.telemetry.logs import SEVERITY_ERROR, SEVERITY_INFO, SEVERITY_WARN
from graphmind.telemetry.triggers import (
    ALERT,
    ENDLESS,
    WITHIN_NS,
    Anomaly,
    Place,
    anomalies,
    in_places,
    triggers,
)

SECOND_NS: Final = 1_000_000_000
MS_NS: Final = 1_000_000
AROUND_NS: Final = SECOND_NS
"""Clocks of a logger and of a tracer differ: a line may lie so far outside its span (S19)."""
BEFORE_NS: Final = 5 * 60 * SECOND_NS
"""How far back points are read: a counter's increase, and what is always beyond (chosen)."""
ALERTS_NS: Final = 24 * 3600 * SECOND_NS
"""How long before it an alert may have begun that is told of a trace (chosen)."""
UNTRACED_MAX: Final = 5_000
"""Lines of a service without a trace that are looked at (chosen)."""
EXTRACT_MAX: Final = 50
EXCERPT_CHARS: Final = 300
ANOMALIES_MAX: Final = 20
"""What a diagnosis shows at most (chosen): it counts the rest."""
BY_IDS: Final = "trace and span id"
BY_TRACE: Final = "trace id"
BY_TIME: Final = "service and time"

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Joined:
    """Lines of a trace, each with the span it belongs to and how that is known."""

    rows: tuple[Row, ...]
    """LINES with ``joined_by``, and ``span_id`` of the span found; by time."""
    cut: tuple[str, ...] = ()
    """Services that logged more in that time than was looked at."""

    @property
    def extract(self) -> list[Row]:
        """The worst of them, by time, as a diagnosis shows them."""
        worst = sorted(self.rows, key=lambda row: (-(row["severity"] or 0), row["time_ns"]))
        shown = sorted(worst[:EXTRACT_MAX], key=lambda row: (row["time_ns"], row["line_id"]))
        return [_shown(row) for row in shown]


def join_lines(signals: Signals, trace_id: str, spans: pa.Table) -> Joined:
    """Return the lines of a trace (its spans ASSEMBLED, may be empty).

    Joined by ids; of services of which no line is, by service and time, among the lines that belong
    to no trace.
    """
    own = signals.lines(_around(spans, WITHIN_NS), trace_ids=pa.array([trace_id])).to_pylist()
    if not own:  # a clock may be far off: ids still tell
        own = signals.lines(trace_ids=pa.array([trace_id])).to_pylist()
    known = set(spans["span_id"].to_pylist())
    rows = [row | {"joined_by": BY_IDS if row["span_id"] in known else BY_TRACE} for row in own]
    by_span = dict(zip(*(spans[name].to_pylist() for name in ("span_id", "service")), strict=True))
    speaking = {row["service"] for row in own} | {by_span.get(row["span_id"]) for row in own}
    silent = {
        service: spans.filter(pc.equal(spans["service"], service))
        for service in sorted({name for name in by_span.values() if name} - speaking)
    }
    cut = []
    for service, found in _untraced(signals, silent).items():
        rows += _by_time(found, silent[service])
        cut += [service] if found.num_rows == UNTRACED_MAX else []
    rows.sort(key=lambda row: (row["time_ns"], row["line_id"]))
    return Joined(rows=tuple(rows), cut=tuple(cut))


def _untraced(signals: Signals, silent: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    """Return the lines of no trace about the spans of each service."""
    within = {service: _around(ran) for service, ran in silent.items()}
    found = signals.untraced_lines(within, most=UNTRACED_MAX) if within else None
    if found is None or not found.num_rows:
        return {}
    return {service: found.filter(pc.equal(found["service"], service)) for service in silent}


def _by_time(found: pa.Table, ran: pa.Table) -> list[Row]:
    """Give each line to the shortest span of its service that it lies in, if any.

    A line that names another agent, region or task than the span is another's.
    """
    lasts = pc.subtract(pc.coalesce(ran["end_ns"], ran["start_ns"]), ran["start_ns"])
    ran = ran.append_column("lasts", lasts).sort_by(
        [("lasts", "ascending"), ("span_id", "ascending")]
    )
    first = ran["start_ns"].to_numpy() - AROUND_NS
    last = first + ran["lasts"].to_numpy() + 2 * AROUND_NS
    spans = ran.to_pylist()
    rows = []
    for row in found.to_pylist():
        around = np.flatnonzero((first <= row["time_ns"]) & (row["time_ns"] <= last)).tolist()
        fitting = (spans[place] for place in around if not _contradicts(row, spans[place]))
        if span := next(fitting, None):
            rows.append(row | {"span_id": span["span_id"], "joined_by": BY_TIME})
    return rows


def _contradicts(row: Row, span: Row) -> bool:
    # Not by module: a line without one has the name of its logger there. And where no agent is
    # named, spans have the name of their service there.
    names = ("agent", "region", "task_id") if span["agent_named"] else ("region", "task_id")
    return any(
        row[name] is not None and span[name] is not None and row[name] != span[name]
        for name in names
    )


def _around(spans: pa.Table, margin_ns: int = AROUND_NS) -> Between:
    if not spans.num_rows:
        return Between()
    ends = pc.coalesce(spans["end_ns"], spans["start_ns"])
    return Between(
        from_ns=pc.min(spans["start_ns"]).as_py() - margin_ns,
        until_ns=pc.max(ends).as_py() + margin_ns + 1,
    )


def _shown(row: Row) -> Row:
    stated = [row["trace_id"], row["span_id"]] if row["joined_by"] != BY_TIME else []
    return {
        "at_ms": row["time_ns"] // MS_NS,
        "severity": severity_word(row["severity"]),
        "span_id": row["span_id"],
        "joined_by": row["joined_by"],
        "service": row["service"],
        "agent": row["agent"],
        "module": row["module"],
        "error_code": row["error_code"],
        "exception_type": row["exception_type"],
        "fallback_applied": row["fallback"],
        "trace_tag": ":".join(filter(None, stated)) or None,
        "log_hash": row["line_id"],
        "pattern": row["pattern"],
        "excerpt": (row["body"] or "")[:EXCERPT_CHARS],
    }


def severity_word(severity: int | None) -> str:
    """Return the word of a severity number."""
    for least, word in (
        (SEVERITY_ERROR, "error"),
        (SEVERITY_WARN, "warn"),
        (SEVERITY_INFO, "info"),
    ):
        if (severity or 0) >= least:
            return word
    return "debug" if severity else "unknown"


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What metrics say about the time and the places of a trace."""

    points: int
    """How many of triggers' signals, and alerts, there were about that time, of any place."""
    anomalies: tuple[Anomaly, ...]
    """Of its places, in force while it ran; news first."""
    named: frozenset[str]
    """Signals that have an exemplar of the trace itself."""

    def rows(self) -> list[Row]:
        """Return the anomalies as a diagnosis shows them."""
        return [
            {
                "name": each.name,
                "trigger": each.trigger.name,
                "service": each.service,
                "agent": each.agent,
                "module": each.module,
                "region": each.region,
                "from_ms": each.from_ns // MS_NS,
                "until_ms": None if each.until_ns == ENDLESS else each.until_ns // MS_NS,
                "value": round(each.value, 4),
                "threshold": each.trigger.threshold,
                "unit": each.trigger.unit,
                "chronic": each.chronic,
                "names_trace": each.name in self.named,
            }
            for each in self.anomalies[:ANOMALIES_MAX]
        ]


def measure(signals: Signals, settings: Settings, trace_id: str, spans: pa.Table) -> Measured:
    """Return the anomalies at the places of a trace (its spans ASSEMBLED) while it ran."""
    if not spans.num_rows:
        return Measured(points=0, anomalies=(), named=frozenset())
    ran = _around(spans)
    found = signals.points(
        Between(from_ns=ran.from_ns - BEFORE_NS, until_ns=ran.until_ns + WITHIN_NS),
        names=[name for trigger in triggers(settings) for name in trigger.signals],
    )
    alerts = signals.points(
        Between(from_ns=ran.from_ns - ALERTS_NS, until_ns=ran.until_ns), prefix=ALERT
    )
    judged = anomalies(found, settings) + list(filter(_placed, anomalies(alerts, settings)))
    fired = in_places(judged, _places(spans))
    # A statistic is written down up to a minute after what it is about.
    during = [
        each
        for each in fired
        if each.from_ns - WITHIN_NS <= ran.until_ns and each.until_ns >= ran.from_ns
    ]
    exemplars = found.filter(pc.fill_null(pc.equal(found["trace_id"], trace_id), False))
    return Measured(
        points=found.num_rows + alerts.num_rows,
        anomalies=tuple(sorted(during, key=lambda each: (each.chronic, each.from_ns, each.name))),
        named=frozenset(exemplars["name"].to_pylist()),
    )


def _placed(alert: Anomaly) -> bool:
    """Whether an alert says where; one that does not would be about every trace."""
    return any(getattr(alert, name) is not None for name in Place._fields)


def _places(spans: pa.Table) -> set[Place]:
    columns: Sequence[list[str | None]] = [spans[name].to_pylist() for name in Place._fields]
    return {Place(*words) for words in zip(*columns, strict=True)}
