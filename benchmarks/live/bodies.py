"""OTLP requests as protobuf whose ids and times can be renewed as fast as they are sent."""

import base64
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import orjson
from google.protobuf import json_format  # type: ignore[import-untyped]  # no stubs
from numpy.typing import NDArray
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from graphmind.simulation.otlp import arrivals, request_line
from graphmind.simulation.run import Span
from graphmind.simulation.scenario import Scenario
from graphmind.simulation.simulate import simulate

SPANS = 500
"""Spans of a request, as the issue of the load asks."""
START_TAG, END_TAG = b"\x39", b"\x41"
"""Tags of the two times of a span, which are 8 bytes each."""


class Body:
    """One request; every renewal is of other traces, at another time."""

    def __init__(self, message: bytes, spans: int, places: "_Places") -> None:
        self.spans = spans
        self._bytes = np.frombuffer(message, np.uint8).copy()
        self._places = places
        self._times = self._bytes[places.times].view(np.int64).ravel().copy()

    def renewed(self, generation: int, shift_ns: int) -> bytes:
        """Return the request with the ids of a generation (below 2**32), later by a time."""
        prefix = np.frombuffer(generation.to_bytes(4, "big"), np.uint8)
        self._bytes[self._places.ids] = prefix
        later = (self._times + shift_ns).view(np.uint8).reshape(-1, 8)
        self._bytes[self._places.times] = later
        return self._bytes.tobytes()


class _Places:
    """Where in a request the first bytes of its ids and the bytes of its times stand."""

    def __init__(self, message: bytes, request: Any) -> None:
        ids: list[int] = []
        times: list[int] = []
        place = 0
        for span in _spans(request):
            place = message.index(span.trace_id, place)
            ids.append(place)
            found = message.index(span.span_id, place + 16)
            ids.append(found)
            if span.parent_span_id:
                ids.append(message.index(span.parent_span_id, found + 8))
            for link in span.links:
                ids += [message.index(link.trace_id, found), message.index(link.span_id, found)]
            for tag, time_ns in (
                (START_TAG, span.start_time_unix_nano),
                (END_TAG, span.end_time_unix_nano),
            ):
                if time_ns:
                    times.append(message.index(tag + time_ns.to_bytes(8, "little"), found) + 1)
            place = found
        self.ids = np.array(ids)[:, None] + np.arange(4)
        self.times: NDArray[np.int64] = np.array(times)[:, None] + np.arange(8)


def bodies(*, seed: int, traces: int) -> tuple[list[Body], int]:
    """Return requests of a healthy platform with some failures, and when its time begins, ns.

    They hold the traces from first to last span, so that a round of requests leaves none open.
    """
    scenario = Scenario(seed=seed, traces=traces, quiet=True, minutes=1.0, late=0.0)
    made = []
    for request in _requests(scenario):
        message = request.SerializeToString()
        spans = sum(1 for _ in _spans(request))
        made.append(Body(message, spans, _Places(message, request)))
    return made, scenario.start_ns


def _requests(scenario: Scenario) -> Iterator[ExportTraceServiceRequest]:
    batch = []
    for _, span in arrivals(simulate(scenario).traces(), scenario):
        batch.append(span)
        if len(batch) == SPANS:
            yield _request(batch)
            batch.clear()
    if batch:
        yield _request(batch)


def _request(batch: Sequence[Span]) -> ExportTraceServiceRequest:
    document = _with_base64(orjson.loads(request_line(batch)))
    request = ExportTraceServiceRequest()
    json_format.ParseDict(document, request)
    return request


def _with_base64(value: Any) -> Any:
    """Write ids as protobuf's own JSON does."""
    if isinstance(value, list):
        return [_with_base64(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: base64.b64encode(bytes.fromhex(item)).decode()
        if key in ("traceId", "spanId", "parentSpanId") and isinstance(item, str)
        else _with_base64(item)
        for key, item in value.items()
    }


def _spans(request: Any) -> Iterator[Any]:
    for group in request.resource_spans:
        for scope_spans in group.scope_spans:
            yield from scope_spans.spans
