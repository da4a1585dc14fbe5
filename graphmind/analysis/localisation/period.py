"""What the localisation reads of some traces: their spans and log statements as arrays."""

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graphmind.telemetry.assembly import Columns
from graphmind.telemetry.spans import STATUS_ERROR
from graphmind.telemetry.tree import Bools, Ints, nearest

UNNAMED = "unnamed"
"""The service of a span when neither it nor an ancestor names one."""
NOT_ENDED = "not ended"
"""The failure of a span without an end."""


@dataclass(frozen=True, kw_only=True)
class Statements:
    """Log statements, each inside a span; (statements,) arrays."""

    span: Ints
    """Row of the span."""
    at_ns: Ints
    name: Ints
    """Index into ``names``."""
    names: tuple[tuple[str, str], ...]
    """Level and site: the place in the code, or the template where no place is known."""


@dataclass(frozen=True, kw_only=True)
class Period:
    """Spans of some traces; (spans,) arrays, siblings in the order of their start."""

    traces: int
    trace: Ints
    """0..traces - 1."""
    parent: Ints
    """Row of the parent, -1 for a root."""
    depth: Ints
    service: Ints
    operation: Ints
    start_ns: Ints
    end_ns: Ints
    failure: Ints
    """Index into ``failures``, -1 for a span that ended well."""
    services: tuple[str, ...]
    operations: tuple[str, ...]
    failures: tuple[str, ...] = ()
    """Error codes, empty where none is stated."""
    statements: Statements | None = None
    """None where no logs were collected, which is not the same as silent logs."""

    def first_child(self) -> Ints:
        """Row of the first child of each span, -1 for a leaf."""
        first = np.full(len(self.parent), -1)
        children = np.flatnonzero(self.parent >= 0)[::-1]
        first[self.parent[children]] = children
        return first

    def waits(self) -> Bools:
        """Whether a span is a client span: it has children, and all of them run elsewhere."""
        child = np.flatnonzero(self.parent >= 0)
        above = self.parent[child]
        near = np.zeros(len(self.parent), bool)
        near[above[self.service[child] == self.service[above]]] = True
        waits = np.zeros(len(self.parent), bool)
        waits[above] = True
        return waits & ~near


def period_from_spans(spans: pa.Table, statements: pa.Table | None = None) -> Period:
    """Arrange spans (schema ASSEMBLED) and log statements for the localisation.

    ``statements`` has the columns trace_id, span_id, at_ns (null: counts as the first in its span),
    level and site; those of unknown spans are left out. A span not ended has failed, and runs to
    the last time seen in its trace; one without a service belongs to that of its nearest ancestor.
    """
    columns = Columns.of(spans)
    traces = int(columns.trace.max(initial=-1)) + 1
    last = np.zeros(traces, np.int64)
    np.maximum.at(last, columns.trace, columns.end)
    service, services = _encode(_service(spans, columns.parent))
    operation, operations = _encode(spans.column("name"))
    failure, failures = _failures(spans, columns)
    return Period(
        traces=traces,
        trace=columns.trace,
        parent=columns.parent,
        depth=columns.depth,
        service=service,
        operation=operation,
        start_ns=columns.start,
        end_ns=np.where(columns.ended, columns.end, last[columns.trace]),
        failure=failure,
        services=services,
        operations=operations,
        failures=failures,
        statements=None if statements is None else _statements(spans, statements),
    )


def without_statements(period: Period) -> Period:
    """Return the period as if no logs had been collected."""
    return replace(period, statements=None)


def halves(period: Period) -> tuple[Period, Period]:
    """Split a period in the middle of its traces, by their start."""
    start = np.full(period.traces, np.iinfo(np.int64).max)
    np.minimum.at(start, period.trace, period.start_ns)
    order = np.argsort(start, kind="stable")
    middle = period.traces // 2
    return take_traces(period, order[:middle]), take_traces(period, order[middle:])


def take_traces(period: Period, traces: Ints) -> Period:
    """Keep some traces, renumbered in the order given."""
    number = np.full(period.traces, -1)
    number[traces] = np.arange(len(traces))
    rows = np.flatnonzero(number[period.trace] >= 0)
    row = np.full(len(period.trace) + 1, -1)  # the last is for parent -1
    row[rows] = np.arange(len(rows))
    return replace(
        period,
        traces=len(traces),
        trace=number[period.trace[rows]],
        parent=row[period.parent[rows]],
        depth=period.depth[rows],
        service=period.service[rows],
        operation=period.operation[rows],
        start_ns=period.start_ns[rows],
        end_ns=period.end_ns[rows],
        failure=period.failure[rows],
        statements=period.statements and _take_statements(period.statements, row),
    )


def _take_statements(statements: Statements, row: Ints) -> Statements:
    span = row[statements.span]
    kept = span >= 0
    return replace(
        statements,
        span=span[kept],
        at_ns=statements.at_ns[kept],
        name=statements.name[kept],
    )


def _service(spans: pa.Table, parent: Ints) -> pa.ChunkedArray:
    own = spans.column("service")
    rows = nearest(parent, pc.is_valid(own).to_numpy())
    return pc.fill_null(own.take(pa.array(rows, mask=rows < 0)), UNNAMED)


def _failures(spans: pa.Table, columns: Columns) -> tuple[Ints, tuple[str, ...]]:
    """Return how each span failed, -1 for well, and the ways."""
    stated = pc.if_else(pa.array(columns.ended), spans.column("error_code"), NOT_ENDED)
    codes, names = _encode(stated)
    failed = (columns.status == STATUS_ERROR) | ~columns.ended
    return np.where(failed, codes, -1), names


def _statements(spans: pa.Table, statements: pa.Table) -> Statements:
    found = pc.index_in(_span_key(statements), value_set=_span_key(spans))
    statements = statements.filter(pc.is_valid(found))
    level, levels = _encode(statements.column("level"))
    site, sites = _encode(statements.column("site"))
    code, name = np.unique(level * len(sites) + site, return_inverse=True)
    return Statements(
        span=found.drop_null().to_numpy().astype(np.int64),
        at_ns=pc.fill_null(statements.column("at_ns"), 0).to_numpy(),
        name=name,
        names=tuple((levels[c // len(sites)], sites[c % len(sites)]) for c in code.tolist()),
    )


def _span_key(table: pa.Table) -> pa.Array:
    return pc.binary_join_element_wise(
        table.column("trace_id"), table.column("span_id"), " "
    ).combine_chunks()


def _encode(column: pa.ChunkedArray) -> tuple[Ints, tuple[str, ...]]:
    """Encode text, null as the empty one, in its sorted order: codes and values."""
    encoded = pc.fill_null(column, "").combine_chunks().dictionary_encode()
    order = pc.array_sort_indices(encoded.dictionary)
    rank = np.empty(len(order), np.int64)
    rank[order.to_numpy()] = np.arange(len(order))
    codes: Ints = rank[encoded.indices.to_numpy()]
    return codes, tuple(encoded.dictionary.take(order).to_pylist())
