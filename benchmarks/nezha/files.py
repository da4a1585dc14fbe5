"""The published files as graphmind's own tables: spans, and log statements."""

import csv
import gzip
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from graphmind.telemetry.assembly import assemble
from graphmind.telemetry.resolve import resolve
from graphmind.telemetry.spans import ATTRIBUTES, SPANS

STATEMENTS = pa.schema(
    [
        ("trace_id", pa.string()),
        ("span_id", pa.string()),
        ("at_ns", pa.int64()),
        ("level", pa.string()),
        ("site", pa.string()),
    ]
)
_LEVEL = re.compile(r"\b(TRACE|DEBUG|INFO|WARN|WARNING|ERROR|FATAL)\b")
_SITE = re.compile(r"\s((?:\w+\.)+\w+#\d+)")
NO_SITE = "?"


def service_of(pod: str) -> str:
    """Return the service of a pod: its name without the two generated parts."""
    return pod.rsplit("-", 2)[0]


def read_spans(paths: Sequence[Path]) -> pa.Table:
    """Read trace files through the product's telemetry: schema ASSEMBLED."""
    batches = [resolve(batch) for path in paths for batch in _span_batches(path)]
    return assemble(pa.Table.from_batches(batches))


def _span_batches(path: Path) -> Iterator[pa.RecordBatch]:
    """Yield a file's spans in schema SPANS."""
    ids = dict.fromkeys(("TraceID", "SpanID", "ParentID"), pa.string())
    with gzip.open(path) as stream:
        options = arrow_csv.ConvertOptions(column_types=ids)
        for rows in arrow_csv.open_csv(stream, convert_options=options):
            columns = {
                "trace_id": rows["TraceID"],
                "span_id": rows["SpanID"],
                "parent_span_id": pc.if_else(
                    pc.equal(rows["ParentID"], "root"), None, rows["ParentID"]
                ),
                "name": rows["OperationName"],
                "start_ns": rows["StartTimeUnixNano"],
                "end_ns": rows["EndTimeUnixNano"],
                "resource": _resources(rows["PodName"]),
                "attributes": pa.array([[]] * len(rows), ATTRIBUTES),
            }
            yield pa.RecordBatch.from_arrays(
                [
                    columns[field.name] if field.name in columns else _absent(field, len(rows))
                    for field in SPANS
                ],
                schema=SPANS,
            )


def _absent(field: pa.Field, rows: int) -> pa.Array:
    """Return no value; kind and status are 0, unspecified."""
    if pa.types.is_integer(field.type):
        return pa.array([0] * rows, field.type)
    return pa.nulls(rows, field.type)


def _resources(pods: pa.Array) -> pa.DictionaryArray:
    encoded = pods.dictionary_encode()
    values = [
        [("service.name", service_of(pod)), ("service.instance.id", pod)]
        for pod in encoded.dictionary.to_pylist()
    ]
    return pa.DictionaryArray.from_arrays(encoded.indices, pa.array(values, ATTRIBUTES))


def read_statements(paths: Sequence[Path]) -> pa.Table:
    """Read log files as the statements they were written by: schema STATEMENTS."""
    # The limit is the process's: others rely on the one they found.
    limit = csv.field_size_limit(10_000_000)
    try:
        columns = list(zip(*(row for path in paths for row in _statements(path)), strict=True))
    finally:
        csv.field_size_limit(limit)
    arrays = [
        pa.array(column, field.type) for column, field in zip(columns, STATEMENTS, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=STATEMENTS)


def _statements(path: Path) -> Iterator[tuple[str, str, int | None, str, str]]:
    """Yield trace, span, time (None where it is broken), level and site of each line.

    A row with too many columns is two records glued together; the first is whole.
    """
    with gzip.open(path, "rt") as stream:
        for row in csv.DictReader(stream):
            line, time = row["Log"] or "", row["TimeUnixNano"]
            level, site = _LEVEL.search(line), _SITE.search(line)
            yield (
                row["TraceID"],
                row["SpanID"],
                int(time) if time.isdigit() else None,
                level[1] if level else "",
                site[1] if site else NO_SITE,
            )
