"""Log requests as OTLP JSON into the schema of log records."""

import re
from collections.abc import Iterator
from typing import Any, Generic, TypeVar

import msgspec
import pyarrow as pa

from graphmind.telemetry.logs import LOGS
from graphmind.telemetry.rejections import Rejections
from graphmind.telemetry.spans import ATTRIBUTES
from graphmind_loaders.otlp_arrow.fields import cut, offsets_of
from graphmind_loaders.otlp_arrow.logs import SEVERITY_MAX
from graphmind_loaders.otlp_json_values import (
    AnyValue,
    Attributes,
    Resource,
    Scope,
    any_text,
    attributes_of,
    not_json,
    request_as,
)
from graphmind_loaders.records import read_as
from graphmind_loaders.values import Nanoseconds, hex_of

L = TypeVar("L")
"""A log record as far as it is decoded."""


class _Log(msgspec.Struct, gc=False, frozen=True, rename="camel"):
    time_unix_nano: Nanoseconds | None = None
    observed_time_unix_nano: Nanoseconds | None = None
    severity_number: int | str | None = None
    body: AnyValue | None = None
    event_name: str | None = None
    trace_id: str | None = None
    span_id: str | None = None
    attributes: Attributes = None


class _ScopeLogs(msgspec.Struct, Generic[L], frozen=True, rename="camel"):
    log_records: list[L] | None = None
    scope: Scope | None = None


class _ResourceLogs(msgspec.Struct, Generic[L], frozen=True, rename="camel"):
    resource: Resource | None = None
    scope_logs: list[_ScopeLogs[L]] | None = None


class _Request(msgspec.Struct, Generic[L], frozen=True, rename="camel"):
    resource_logs: list[_ResourceLogs[L]] | None = None


_REQUEST = msgspec.json.Decoder(_Request[_Log], strict=False)


def decode(body: bytes, rejected: Rejections) -> pa.RecordBatch:
    """Turn one ExportLogsServiceRequest into a batch of LOGS.

    Records of another shape are counted. Raises SourceError for what is not a request at all.
    """
    rows: list[dict[str, Any]] = []
    resources: dict[tuple[tuple[str, str | None], ...], int] = {}
    for resource, scope, log in _logs(body, rejected):
        row = _row(log)
        row["scope"] = scope or None
        row["resource"] = resources.setdefault(resource, len(resources))
        rows.append(row)
    columns = {
        name: pa.array([row[name] for row in rows], LOGS.field(name).type)
        for name in LOGS.names
        if name not in ("resource", "attributes")
    }
    columns["attributes"] = _maps([row["attributes"] for row in rows], rejected)
    codes = pa.array([row["resource"] for row in rows], pa.int32())
    columns["resource"] = pa.DictionaryArray.from_arrays(codes, _maps(list(resources), rejected))
    return pa.RecordBatch.from_arrays([columns[name] for name in LOGS.names], schema=LOGS)


def _logs(
    body: bytes, rejected: Rejections
) -> Iterator[tuple[tuple[tuple[str, str | None], ...], str | None, _Log]]:
    for group in _groups(body, rejected):
        attributes = attributes_of(group.resource.attributes) if group.resource else {}
        resource = tuple(sorted(attributes.items()))
        for scope_logs in group.scope_logs or ():
            scope = scope_logs.scope.name if scope_logs.scope else None
            for log in scope_logs.log_records or ():
                yield resource, scope, log


def _groups(body: bytes, rejected: Rejections) -> list[_ResourceLogs[_Log]]:
    try:
        return _REQUEST.decode(body).resource_logs or []
    except msgspec.ValidationError:
        request = request_as(body, _Request[Any])
    except (ValueError, RecursionError) as error:
        raise not_json(body, error) from error
    return [
        _ResourceLogs(
            resource=group.resource,
            scope_logs=[_readable(scope_logs, rejected) for scope_logs in group.scope_logs or ()],
        )
        for group in request.resource_logs or ()
    ]


def _readable(scope_logs: _ScopeLogs[Any], rejected: Rejections) -> _ScopeLogs[_Log]:
    logs = [read_as(log, _Log, rejected) for log in scope_logs.log_records or ()]
    return _ScopeLogs(log_records=[log for log in logs if log], scope=scope_logs.scope)


def _row(log: _Log) -> dict[str, Any]:
    return {
        "time_ns": log.time_unix_nano or log.observed_time_unix_nano or None,
        "severity": _severity(log.severity_number),
        "body": any_text(log.body),
        "event_name": log.event_name or None,
        "trace_id": _id(log.trace_id, 32),
        "span_id": _id(log.span_id, 16),
        "attributes": list(attributes_of(log.attributes).items()),
    }


def _severity(number: int | str | None) -> int:
    return number if isinstance(number, int) and 0 <= number <= SEVERITY_MAX else 0


_HEX = re.compile(r"[0-9a-f]+")


def _id(text: str | None, digits: int) -> str | None:
    """Return an id in lower-case hex; one of a wrong form or of zeros is none."""
    found = (hex_of(text) or "").lower()
    sound = len(found) == digits and _HEX.fullmatch(found) and found.strip("0")
    return found if sound else None


def _maps(pairs: list[Any], rejected: Rejections) -> pa.MapArray:
    maps = pa.array(pairs, ATTRIBUTES)
    values = cut(maps.keys, maps.items, rejected)
    return pa.MapArray.from_arrays(pa.array(offsets_of(maps)), maps.keys, values, ATTRIBUTES)
