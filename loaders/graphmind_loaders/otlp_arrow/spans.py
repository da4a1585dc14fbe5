"""Trace requests as protobuf into the span schema."""

import numpy as np
import pyarrow as pa

from graphmind.telemetry.rejections import Rejections
from graphmind.telemetry.spans import KIND_CONSUMER, SPANS, STATUS_ERROR
from graphmind_loaders.columns import parents
from graphmind_loaders.otlp_arrow.fields import (
    attribute_maps,
    bounded,
    filled,
    hex_ids,
    lengths_of,
    list_array,
    times,
)
from graphmind_loaders.otlp_arrow.records import Records, records_of, resource_column, struck
from graphmind_loaders.records import MISSHAPEN, NOT_TRACES
from graphmind_loaders.values import INT64_MAX


def decode_spans(body: bytes, rejected: Rejections) -> pa.RecordBatch:
    """Turn an ExportTraceServiceRequest into one batch of SPANS; empty for an empty request.

    Spans whose ids have a wrong length, or whose times exceed 64 bits, are counted and left out.
    Raises SourceError for broken protobuf.
    """
    found = _usable(records_of("SpansRequest", body), rejected)
    spans = found.records
    status, events = spans.field("status"), spans.field("events")
    attributes = attribute_maps(spans.field("attributes"), rejected)
    columns = {
        "trace_id": hex_ids(spans.field("trace_id")),
        "span_id": hex_ids(spans.field("span_id")),
        "parent_span_id": parents(hex_ids(spans.field("parent_span_id"))),
        "name": spans.field("name"),
        "kind": bounded(spans.field("kind"), KIND_CONSUMER),
        "start_ns": times(spans.field("start")),
        "end_ns": times(spans.field("end")),
        "status": bounded(status.field("code"), STATUS_ERROR),
        "status_message": filled(status.field("message")),
        "trace_state": filled(spans.field("trace_state")),
        "scope": found.scope,
        "resource": resource_column(found, rejected),
        "attributes": attributes,
        "events": _events(events, rejected),
        "links": _links(spans.field("links")),
    }
    return pa.RecordBatch.from_arrays([columns[name] for name in SPANS.names], schema=SPANS)


def _usable(found: Records, rejected: Rejections) -> Records:
    spans = found.records
    trace, span = lengths_of(spans.field("trace_id")), lengths_of(spans.field("span_id"))
    foreign = (trace > 0) & ((trace != 16) | ((span != 0) & (span != 8)))
    start, end = spans.field("start").to_numpy(), spans.field("end").to_numpy()
    late = ~foreign & (np.maximum(start, end) > INT64_MAX)
    if foreign.any() or late.any():
        names = pa.array([repr(name) for name in spans.field("name").to_pylist()], pa.string())
        struck(NOT_TRACES, "a record named ", names, foreign, rejected)
        struck(MISSHAPEN, "time beyond 64 bits in ", names, late, rejected)
    return found.where(~(foreign | late))


def _events(events: pa.ListArray, rejected: Rejections) -> pa.ListArray:
    flat = events.flatten()
    children = [
        flat.field("name"),
        times(flat.field("time")),
        attribute_maps(flat.field("attributes"), rejected),
    ]
    return list_array(events, children, SPANS.field("events").type)


def _links(links: pa.ListArray) -> pa.ListArray:
    flat = links.flatten()
    children = [hex_ids(flat.field("trace_id")), hex_ids(flat.field("span_id"))]
    return list_array(links, children, SPANS.field("links").type)
