"""The messages of OTLP, as far as they are read, described to a decoder that writes Arrow.

Lists and maps as values are declared as bytes: a value that may hold values has no Arrow type, and
the wire format is the same. So is a resource, because equal ones are then decoded once.
"""

from functools import cache
from typing import Any

import ptars
import pyarrow as pa
from google.protobuf import (  # type: ignore[import-untyped]  # no stubs
    descriptor_pb2,
    descriptor_pool,
)

from graphmind.errors import SourceError

_FIELD = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    "bytes": _FIELD.TYPE_BYTES,
    "string": _FIELD.TYPE_STRING,
    "bool": _FIELD.TYPE_BOOL,
    "int32": _FIELD.TYPE_INT32,
    "int64": _FIELD.TYPE_INT64,
    "double": _FIELD.TYPE_DOUBLE,
    "fixed64": _FIELD.TYPE_FIXED64,
}
_LIST = "[]"
_PACKAGE = "graphmind.otlp"
_ONE_OF = frozenset({"AnyValue"})
"""Messages of which one field at most is set, which is how its presence is told."""

# Numbers and types are those of opentelemetry-proto; spans and log records stand at one place.
_MESSAGES = {
    "AnyValue": (
        *((1, "string", "string"), (2, "bool", "bool"), (3, "int", "int64")),
        *((4, "double", "double"), (5, "array", "bytes"), (6, "kvlist", "bytes")),
        (7, "bytes", "bytes"),
    ),
    "KeyValue": ((1, "key", "string"), (2, "value", "AnyValue")),
    "Scope": ((1, "name", "string"),),
    "Event": ((1, "time", "fixed64"), (2, "name", "string"), (3, "attributes", "[]KeyValue")),
    "Link": ((1, "trace_id", "bytes"), (2, "span_id", "bytes")),
    "Status": ((2, "message", "string"), (3, "code", "int32")),
    "Span": (
        *((1, "trace_id", "bytes"), (2, "span_id", "bytes"), (3, "trace_state", "string")),
        *((4, "parent_span_id", "bytes"), (5, "name", "string"), (6, "kind", "int32")),
        *((7, "start", "fixed64"), (8, "end", "fixed64"), (9, "attributes", "[]KeyValue")),
        *((11, "events", "[]Event"), (13, "links", "[]Link"), (15, "status", "Status")),
    ),
    "ScopeSpans": ((1, "scope", "Scope"), (2, "records", "[]Span")),
    "ResourceSpans": ((1, "resource", "bytes"), (2, "scopes", "[]ScopeSpans")),
    "SpansRequest": ((1, "groups", "[]ResourceSpans"),),
    "LogRecord": (
        *((1, "time", "fixed64"), (11, "observed", "fixed64"), (2, "severity", "int32")),
        *((5, "body", "AnyValue"), (6, "attributes", "[]KeyValue"), (12, "event_name", "string")),
        *((9, "trace_id", "bytes"), (10, "span_id", "bytes")),
    ),
    "ScopeLogs": ((1, "scope", "Scope"), (2, "records", "[]LogRecord")),
    "ResourceLogs": ((1, "resource", "bytes"), (2, "scopes", "[]ScopeLogs")),
    "LogsRequest": ((1, "groups", "[]ResourceLogs"),),
}


def decode(message: str, body: bytes) -> pa.RecordBatch:
    """Decode one message into a row with a column for each field.

    Raises SourceError for bytes that are not protobuf, or of which a field has another type.
    """
    try:
        return _decoder(message).list_to_record_batch([body])
    except ValueError as error:
        raise SourceError(
            f"expected an OTLP request as protobuf, got {len(body)} bytes that do not decode "
            f"({error}): send each signal to its own path or service, in the format stated"
        ) from error


@cache
def _decoder(message: str) -> Any:
    file = _file()
    return ptars.HandlerPool([file]).get_for_message(file.message_types_by_name[message])


def _file() -> Any:
    described = descriptor_pb2.FileDescriptorProto(
        name="graphmind/otlp.proto", package=_PACKAGE, syntax="proto3"
    )
    for name, fields in _MESSAGES.items():
        message = described.message_type.add(name=name)
        if name in _ONE_OF:
            message.oneof_decl.add(name="value")
        for number, field, kind in fields:
            _add(message, field, number, kind)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(described.SerializeToString())
    return pool.FindFileByName(described.name)


def _add(message: Any, name: str, number: int, kind: str) -> None:
    field = message.field.add(name=name, number=number, label=_FIELD.LABEL_OPTIONAL)
    if kind.startswith(_LIST):
        field.label = _FIELD.LABEL_REPEATED
    if kind in _SCALARS:
        field.type = _SCALARS[kind]
    else:
        field.type = _FIELD.TYPE_MESSAGE
        field.type_name = f".{_PACKAGE}.{kind.removeprefix(_LIST)}"
    if message.name in _ONE_OF:
        field.oneof_index = 0
