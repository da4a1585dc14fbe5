"""Log requests as protobuf into the schema of log records."""

import pyarrow as pa
import pyarrow.compute as pc

from graphmind.telemetry.logs import LOGS
from graphmind.telemetry.rejections import Rejections
from graphmind_loaders.columns import parents
from graphmind_loaders.otlp_arrow.fields import (
    attribute_maps,
    bounded,
    filled,
    hex_ids,
    lengths_of,
    texts_of,
    times,
)
from graphmind_loaders.otlp_arrow.records import records_of, resource_column

SEVERITY_MAX = 24  # FATAL4 of OpenTelemetry


def decode_logs(body: bytes, rejected: Rejections) -> pa.RecordBatch:
    """Turn an ExportLogsServiceRequest into one batch of LOGS; empty for an empty request.

    An id of a wrong length or of zeros is none, as OpenTelemetry asks of receivers.
    Raises SourceError for broken protobuf.
    """
    found = records_of("LogsRequest", body)
    logs = found.records
    columns = {
        "time_ns": pc.coalesce(times(logs.field("time")), times(logs.field("observed"))),
        "severity": bounded(logs.field("severity"), SEVERITY_MAX),
        "body": texts_of(logs.field("body")),
        "event_name": filled(logs.field("event_name")),
        "trace_id": _ids(logs.field("trace_id"), 16),
        "span_id": _ids(logs.field("span_id"), 8),
        "scope": found.scope,
        "resource": resource_column(found, rejected),
        "attributes": attribute_maps(logs.field("attributes"), rejected),
    }
    return pa.RecordBatch.from_arrays([columns[name] for name in LOGS.names], schema=LOGS)


def _ids(ids: pa.BinaryArray, size: int) -> pa.Array:
    sound = pa.array(lengths_of(ids) == size)
    return parents(pc.if_else(sound, hex_ids(ids), pa.scalar(None, pa.string())))
