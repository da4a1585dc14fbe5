"""The schemas of log records: as every source hands them over, and as lines are archived.

Times are epoch nanoseconds (UTC), ids lower-case hex, attribute values text as in ``spans.py``.
"""

from typing import Final

import pyarrow as pa

from graphmind.telemetry.spans import ATTRIBUTES

SEVERITY_INFO, SEVERITY_WARN, SEVERITY_ERROR = 9, 13, 17
"""Severity numbers as OpenTelemetry defines them; 0 where a source states none."""

LOGS: Final = pa.schema(
    [
        pa.field("time_ns", pa.int64()),
        pa.field("severity", pa.int8()),
        pa.field("body", pa.string()),
        # Name of the event, for records that are events.
        pa.field("event_name", pa.string()),
        # Null where the record belongs to no span.
        pa.field("trace_id", pa.string()),
        pa.field("span_id", pa.string()),
        # Instrumentation scope, or logger.
        pa.field("scope", pa.string()),
        # Attributes of the process (Loki: stream labels); a dictionary, as for spans.
        pa.field("resource", pa.dictionary(pa.int32(), ATTRIBUTES)),
        pa.field("attributes", ATTRIBUTES),
    ]
)

LINES: Final = pa.schema(
    [
        # Digest of all that the record says: the same record twice is one line.
        pa.field("line_id", pa.string()),
        pa.field("time_ns", pa.int64()),
        pa.field("severity", pa.int8()),
        pa.field("trace_id", pa.string()),
        pa.field("span_id", pa.string()),
        pa.field("service", pa.string()),
        pa.field("agent", pa.string()),
        pa.field("module", pa.string()),
        pa.field("region", pa.string()),
        pa.field("task_id", pa.string()),
        pa.field("error_code", pa.string()),
        pa.field("exception_type", pa.string()),
        pa.field("fallback", pa.bool_()),
        # The body with what varies replaced; null for lines nobody mines.
        pa.field("pattern", pa.string()),
        pa.field("body", pa.string()),
    ]
)

LOGGED: Final = pa.schema(
    [
        pa.field("trace_id", pa.string()),
        pa.field("pattern", pa.string()),
        pa.field("first_ns", pa.int64()),
        pa.field("last_ns", pa.int64()),
    ]
)
"""Which traces logged lines of which pattern, and when; each once."""
