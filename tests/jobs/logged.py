"""Logs and metrics of a simulated window, as its processes would have written them."""

from collections.abc import Iterable, Iterator
from random import Random
from typing import Any

from graphmind.simulation.run import Span
from graphmind.simulation.window import Trace
from graphmind.telemetry.logs import SEVERITY_ERROR, SEVERITY_INFO, SEVERITY_WARN
from graphmind.telemetry.spans import STATUS_ERROR

Row = dict[str, Any]
MINUTE_NS = 60_000_000_000
WARNED_WELL = 0.05
"""Share of the spans that warn although all is well with them."""


def logs_of(traces: Iterable[Trace]) -> Iterator[Row]:
    """Yield the records of each trace: each span begins, failures are warned of, echoed, raised.

    The callers of what failed say so too, as they do in life.
    """
    for trace in traces:
        random = Random(trace.trace_id)
        for span in trace.spans:
            yield _record(
                span, span.start_ns, SEVERITY_INFO, f"{span.name} started for {_job(span)}"
            )
            if span.status == STATUS_ERROR:
                yield from _of_failure(span)
            elif random.random() < WARNED_WELL:
                took = random.randrange(10, 999)
                body = f"cache miss in {span.name}, read again in {took} ms"
                yield _record(span, span.start_ns + 1, SEVERITY_WARN, body)


def _of_failure(span: Span) -> Iterator[Row]:
    at_ns = span.raised_ns or span.end_ns or span.start_ns
    before_ns = max(span.start_ns, at_ns - 1_000_000)
    yield _record(
        span, before_ns, SEVERITY_WARN, f"{span.name} is not answering, attempt 1 of {_job(span)}"
    )
    raised = {"exception.type": span.exception, "exception.message": span.message}
    yield _record(span, at_ns, SEVERITY_ERROR, None, raised if span.exception else {})
    yield _record(span, at_ns + 1000, SEVERITY_ERROR, f"{span.name} failed: {span.message}")


def _job(span: Span) -> str:
    return str(span.attributes.get("graphmind.task.id", f"job-{span.start_ns % 10**6:06}"))


def _record(
    span: Span, time_ns: int, severity: int, body: str | None, attributes: Row | None = None
) -> Row:
    return {
        "time_ns": time_ns,
        "severity": severity,
        "body": body,
        "event_name": None if body else "exception",
        "trace_id": span.trace_id,
        "span_id": span.span_id,
        "scope": span.scope,
        "resource": {"service.name": span.process.service, "cloud.region": span.process.region},
        "attributes": attributes or {},
    }


def without_ids(rows: Iterable[Row]) -> Iterator[Row]:
    """The same records from a logger that knows of no trace."""
    for row in rows:
        yield {**row, "trace_id": None, "span_id": None}


def latency_of(traces: Iterable[Trace], name: str = "agent_trace_latency_p95") -> Iterator[Row]:
    """Yield, each minute, the 95th percentile of the spans' durations by module, in seconds."""
    durations: dict[tuple[str, int], list[float]] = {}
    for trace in traces:
        for span in trace.spans:
            if span.end_ns is not None:
                place = span.name, span.end_ns // MINUTE_NS
                durations.setdefault(place, []).append((span.end_ns - span.start_ns) / 1e9)
    for (module, minute), values in sorted(durations.items()):
        yield {
            "name": name,
            "time_ns": (minute + 1) * MINUTE_NS,
            "value": sorted(values)[int(0.95 * (len(values) - 1))],
            "labels": {"module": module},
        }
