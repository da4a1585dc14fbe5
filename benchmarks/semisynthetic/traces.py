"""Real traces of the published sets: who called what when, without statuses or attributes."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from benchmarks.nezha.files import service_of

COLUMNS = ("TraceID", "SpanID", "ParentID", "PodName", "OperationName")
TIMES = ("StartTimeUnixNano", "EndTimeUnixNano")


@dataclass(frozen=True, kw_only=True)
class Span:
    """One call as it was recorded."""

    span_id: str
    parent_id: str | None
    pod: str
    name: str
    start_ns: int
    end_ns: int

    @property
    def service(self) -> str:
        """The service of its pod."""
        return service_of(self.pod)


@dataclass(frozen=True, kw_only=True)
class Trace:
    """The spans of one trace by start; the first is the root, or the earliest where it is lost."""

    trace_id: str
    spans: tuple[Span, ...]


@cache
def read_traces(system: Path) -> Sequence[Trace]:
    """Read every trace of a system, in the order of their start."""
    paths = sorted(system.glob("*/*/trace/*_trace.csv.gz"))
    table = pa.concat_tables([_read(path) for path in paths])
    keys = [("TraceID", "ascending"), ("StartTimeUnixNano", "ascending"), ("SpanID", "ascending")]
    rows = table.sort_by(keys).to_pydict()
    spans: dict[str, list[Span]] = {}
    for trace_id, *fields in zip(*(rows[name] for name in (*COLUMNS, *TIMES)), strict=True):
        span_id, parent_id, pod, name, start_ns, end_ns = fields
        spans.setdefault(trace_id, []).append(
            Span(
                span_id=span_id,
                parent_id=None if parent_id == "root" else parent_id,
                pod=pod,
                name=name,
                start_ns=start_ns,
                end_ns=end_ns,
            )
        )
    traces = [Trace(trace_id=key, spans=_root_first(own)) for key, own in spans.items()]
    return sorted(traces, key=lambda trace: (trace.spans[0].start_ns, trace.trace_id))


def _read(path: Path) -> pa.Table:
    types = dict.fromkeys(COLUMNS, pa.string()) | dict.fromkeys(TIMES, pa.int64())
    options = csv.ConvertOptions(column_types=types, include_columns=[*types])
    # Arrow unpacks by the file's suffix.
    table = csv.read_csv(path, convert_options=options)
    return table.filter(pc.is_valid(table["TraceID"]))


def _root_first(spans: list[Span]) -> tuple[Span, ...]:
    return tuple(sorted(spans, key=lambda span: span.parent_id is not None))
