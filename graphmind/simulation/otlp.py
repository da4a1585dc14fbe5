"""Finished traces as the lines of the OpenTelemetry Collector's file exporter.

Spans arrive when their process exports them, some of them late, twice or never, and are batched in
that order: a span's line says nothing about its trace. A span that has not ended is not exported;
half of the processes say at least that it has begun (a span without an end time).
"""

from collections.abc import Iterable, Iterator
from functools import cache
from heapq import heappop, heappush
from random import Random
from typing import Any, Final

import orjson

from graphmind.simulation.run import AttributeValue, Process, Span
from graphmind.simulation.scenario import Scenario
from graphmind.simulation.window import SECOND_NS, Trace

BATCH: Final = 512
"""Spans of one request; the Collector's batching is of this order."""
HOLD_NS: Final = 120 * SECOND_NS
"""How long spans wait to be put in order of arrival."""

Arrival = tuple[int, int, Span]
"""When, a number that breaks ties, and what."""


def request_lines(traces: Iterable[Trace], scenario: Scenario) -> Iterator[bytes]:
    """Yield one ExportTraceServiceRequest a line, newline included, in order of arrival."""
    batch: list[Span] = []
    for _, span in arrivals(traces, scenario):
        batch.append(span)
        if len(batch) == BATCH:
            yield request_line(batch)
            batch.clear()
    if batch:
        yield request_line(batch)


def arrivals(traces: Iterable[Trace], scenario: Scenario) -> Iterator[tuple[int, Span]]:
    """Yield when each span arrives, epoch ns, and the span; in that order."""
    random = Random(f"{scenario.seed}/network")  # noqa: S311 - reproducible, not secret
    waiting: list[Arrival] = []
    number = 0
    for trace in traces:
        for arrival_ns, span in _arrivals(trace, scenario, random):
            number += 1
            heappush(waiting, (arrival_ns, number, span))
        now = trace.spans[0].end_ns or 0
        while waiting and waiting[0][0] <= now - HOLD_NS:
            yield heappop(waiting)[::2]
    while waiting:
        yield heappop(waiting)[::2]


def _arrivals(trace: Trace, scenario: Scenario, random: Random) -> Iterator[tuple[int, Span]]:
    reports_begun = random.random() < 0.5
    for span in trace.spans:
        if random.random() < scenario.lost or (span.end_ns is None and not reports_begun):
            continue
        ended_ns = span.start_ns if span.end_ns is None else span.end_ns
        for _ in range(1 + (random.random() < scenario.duplicated)):
            late = random.random() < scenario.late
            delay_s = random.uniform(30.0, 600.0) if late else random.uniform(0.2, 5.0)
            yield ended_ns + int(delay_s * SECOND_NS), span


def request_line(batch: Iterable[Span]) -> bytes:
    """Return one ExportTraceServiceRequest, newline included."""
    groups: dict[Process, dict[str, list[dict[str, Any]]]] = {}
    for span in batch:
        groups.setdefault(span.process, {}).setdefault(span.scope, []).append(_span(span))
    request = {
        "resourceSpans": [
            {
                "resource": {"attributes": _resource(process)},
                "scopeSpans": [
                    {"scope": {"name": scope}, "spans": spans} for scope, spans in scopes.items()
                ],
            }
            for process, scopes in groups.items()
        ]
    }
    return orjson.dumps(request, option=orjson.OPT_APPEND_NEWLINE)


@cache
def _resource(process: Process) -> list[dict[str, Any]]:
    return _attributes(
        {
            "service.name": process.service,
            "service.namespace": "relay",
            "service.instance.id": process.instance,
            "service.version": process.version,
            "cloud.region": process.region,
            "deployment.environment.name": "production",
            "telemetry.sdk.language": "python",
        }
    )


def _span(span: Span) -> dict[str, Any]:
    encoded: dict[str, Any] = {
        "traceId": span.trace_id,
        "spanId": span.span_id,
        "parentSpanId": span.parent_span_id,
        "name": span.name,
        "kind": span.kind,
        "startTimeUnixNano": str(span.start_ns),
        "attributes": _attributes(span.attributes),
        "status": {},
    }
    if span.end_ns is not None:
        encoded["endTimeUnixNano"] = str(span.end_ns)
    if span.status:
        encoded["status"] = {"code": span.status}
    if span.message:
        encoded["status"]["message"] = span.message
    if span.exception:
        encoded["events"] = [_exception(span)]
    if span.links:
        encoded["links"] = [{"traceId": trace, "spanId": root} for trace, root in span.links]
    return encoded


def _exception(span: Span) -> dict[str, Any]:
    return {
        "name": "exception",
        "timeUnixNano": str(span.raised_ns or span.end_ns),
        "attributes": _attributes(
            {"exception.type": span.exception, "exception.message": span.message}
        ),
    }


def _attributes(values: dict[str, AttributeValue]) -> list[dict[str, Any]]:
    return [{"key": name, "value": _value(value)} for name, value in values.items()]


def _value(value: AttributeValue) -> dict[str, Any]:
    # A bool is an int in Python, so it is asked for first. 64-bit integers are text in OTLP JSON.
    if isinstance(value, str):
        return {"stringValue": value}
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    return {"doubleValue": value}
