"""Log records and metric samples for tests, as sources hand them over."""

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from graphmind.telemetry.logs import LOGS
from graphmind.telemetry.metrics import SAMPLES
from graphmind.telemetry.spans import ATTRIBUTES
from tests.builders import at


def log(time_ms: float | None = 0, body: str | None = "it happened", **fields: Any) -> dict:
    """One log record; ``**fields`` are the names of LOGS."""
    return {"time_ns": None if time_ms is None else at(time_ms), "body": body, **fields}


def sample(name: str, time_ms: float, value: float, **labels: str) -> dict:
    """One metric sample with its labels."""
    return {"name": name, "time_ns": at(time_ms), "value": value, "labels": labels}


def logs_from_rows(rows: Iterable[Mapping[str, Any]]) -> pa.RecordBatch:
    rows = list(rows)
    resources = [sorted((row.get("resource") or {}).items()) for row in rows]
    distinct = sorted({tuple(resource) for resource in resources})
    codes = [distinct.index(tuple(resource)) for resource in resources]
    columns = {
        "resource": pa.DictionaryArray.from_arrays(
            pa.array(codes, pa.int32()), pa.array([list(each) for each in distinct], ATTRIBUTES)
        ),
        "attributes": _attributes(rows, "attributes"),
    }
    return pa.RecordBatch.from_arrays(
        [
            columns[field.name]
            if field.name in columns
            else pa.array([row.get(field.name) for row in rows], field.type)
            for field in LOGS
        ],
        schema=LOGS,
    )


def samples_from_rows(rows: Iterable[Mapping[str, Any]]) -> pa.RecordBatch:
    rows = list(rows)
    return pa.RecordBatch.from_arrays(
        [
            _attributes(rows, "labels")
            if field.name == "labels"
            else pa.array([row.get(field.name) for row in rows], field.type)
            for field in SAMPLES
        ],
        schema=SAMPLES,
    )


def _attributes(rows: list[Mapping[str, Any]], name: str) -> pa.MapArray:
    return pa.array([list((row.get(name) or {}).items()) for row in rows], ATTRIBUTES)
