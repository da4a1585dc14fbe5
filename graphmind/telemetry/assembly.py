"""Spans of many traces become trees: parents found, cycles cut, clocks aligned, gaps inherited.

Order of arrival does not matter: rows are sorted first, and a span that came twice counts once.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graphmind.telemetry.facts import ASSEMBLED
from graphmind.telemetry.inheritance import derived, filled
from graphmind.telemetry.numbering import numbered_texts
from graphmind.telemetry.rejections import Rejections
from graphmind.telemetry.tree import Bools, Ints, covered, cut_cycles, depths, find_rows, nearest


def assemble(spans: pa.Table, rejected: Rejections | None = None) -> pa.Table:
    """Turn spans (schema RESOLVED, any order) into ASSEMBLED, sorted by trace start.

    Spans of a trace in which no span has a time are dropped and counted.
    """
    rejected = rejected if rejected is not None else Rejections()
    kept = [name for name in spans.column_names if name in ASSEMBLED.names]
    spans, ids = _once(_timed(spans.select(kept).combine_chunks(), rejected))
    parent, orphan = _parents(ids)
    parent, depth = _without_cycles(spans, parent, rejected)
    start, end, ended = _times(spans, ids.trace, parent)
    host = numbered_texts(spans.column("instance"), spans.column("service"))
    shift = _skew(host, parent, depth, start, end)
    start, end = start + shift, end + shift
    order, trace_row = _order(spans, ids.trace, start, depth)
    columns = {name: spans.column(name) for name in spans.column_names} | filled(spans, parent)
    columns |= derived(spans, columns, parent, start)
    columns |= {
        "start_ns": pa.array(start),
        "end_ns": pa.array(end, mask=~ended),
        "exception_ns": pc.add(spans.column("exception_ns"), pa.array(shift)),
        "children": np.bincount(parent[parent >= 0], minlength=len(parent)),
        "self_ns": end - start - covered(parent, start, end),
        "depth": depth,
        "orphan": orphan,
    }
    return _sorted(columns, order, parent, trace_row)


@dataclass(frozen=True)
class _Ids:
    """Numbers of the ids: of the trace, of the span within all traces, of its parent or -1."""

    trace: Ints
    span: Ints
    above: Ints


def _ids(spans: pa.Table) -> _Ids:
    trace = numbered_texts(spans.column("trace_id"))
    both = pa.chunked_array(
        [*spans.column("span_id").chunks, *spans.column("parent_span_id").chunks], pa.string()
    )
    numbers = numbered_texts(both)
    span, above = numbers[: len(trace)], numbers[len(trace) :]
    width = int(numbers.max(initial=0)) + 1
    return _Ids(trace, trace * width + span, np.where(above >= 0, trace * width + above, -1))


def _once(spans: pa.Table) -> tuple[pa.Table, _Ids]:
    """Keep one row per span: the one that has ended, else the first to start."""
    ids = _ids(spans)
    ordered = np.sort(ids.span)
    if not (ordered[1:] == ordered[:-1]).any():
        return spans, ids
    keys = [(name, "ascending") for name in ("end_ns", "start_ns", "status", "name")]
    best = pc.sort_indices(spans, sort_keys=keys).to_numpy()
    _, first = np.unique(ids.span[best], return_index=True)
    spans = spans.take(pa.array(best[first]))
    return spans, _ids(spans)


def _timed(spans: pa.Table, rejected: Rejections) -> pa.Table:
    if not spans.column("start_ns").null_count:
        return spans
    known = spans.filter(pc.is_valid(spans.column("start_ns"))).column("trace_id")
    keep = pc.is_in(spans.column("trace_id"), value_set=pc.unique(known))
    lost = len(spans) - pc.sum(keep).as_py()
    if lost:
        rejected.add("trace without any time", count=lost)
    return spans.filter(keep)


def _parents(ids: _Ids) -> tuple[Ints, Bools]:
    """Return the row of each parent, -1 for none, and which rows name a parent that is not here."""
    named = (ids.above >= 0) & (ids.above != ids.span)
    parent = np.where(named, find_rows(ids.span, ids.above), -1)
    return parent, named & (parent < 0)


def _without_cycles(spans: pa.Table, parent: Ints, rejected: Rejections) -> tuple[Ints, Ints]:
    """Return parents without cycles, each cut above its earliest span, and the depths."""
    depth, cyclic = depths(parent)
    if not cyclic.any():
        return parent, depth
    keys = [("start_ns", "ascending"), ("span_id", "ascending")]
    rank = np.argsort(pc.sort_indices(spans, sort_keys=keys).to_numpy())
    parent, cycles = cut_cycles(parent, cyclic, rank)
    rejected.add("parent cycle cut", count=cycles)
    return parent, depths(parent)[0]


def _times(spans: pa.Table, trace: Ints, parent: Ints) -> tuple[Ints, Ints, Bools]:
    """Fill starts a source does not know from the nearest ancestor, else from the trace's start."""
    known = pc.is_valid(spans.column("start_ns")).to_numpy()
    start: Ints = pc.fill_null(spans.column("start_ns"), 0).to_numpy().copy()
    if not known.all():
        above = nearest(parent, known)
        earliest = np.full(int(trace.max(initial=-1)) + 1, np.iinfo(np.int64).max)
        np.minimum.at(earliest, trace[known], start[known])
        start = np.where(known, start, np.where(above >= 0, start[above], earliest[trace]))
    ended = pc.is_valid(spans.column("end_ns")).to_numpy()
    end = np.where(ended, pc.fill_null(spans.column("end_ns"), 0).to_numpy(), start)
    return start, np.maximum(end, start), ended


def _skew(host: Ints, parent: Ints, depth: Ints, start: Ints, end: Ints) -> Ints:
    """Return the shift that moves a child that starts before its parent inside it.

    As Jaeger's clock-skew adjuster: only across hosts, centred in the parent where it fits, and
    carried on to descendants on the same host.
    """
    shift = np.zeros(len(parent), np.int64)
    has = parent >= 0
    remote = has & (host != np.where(has, host[parent], host))
    early = remote & (start < np.where(has, start[parent], start))
    if not early.any():
        return shift
    order = np.argsort(depth, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(depth[order])) + 1):
        above = parent[rows]
        begins = start[above] + shift[above]
        slack = np.maximum((end - start)[above] - (end - start)[rows], 0) // 2
        moved = np.where(early[rows], begins + slack - start[rows], 0)
        shift[rows] = np.where(above < 0, 0, np.where(remote[rows], moved, shift[above]))
    return shift


def _order(spans: pa.Table, trace: Ints, start: Ints, depth: Ints) -> tuple[Ints, Ints]:
    """Return rows sorted by (trace start, trace id, start, depth, span id), and trace rows."""
    count = int(trace.max(initial=-1)) + 1
    begins = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(begins, trace, start)
    # Traces are numbered in order of first appearance, so these are their ids.
    by_id = np.argsort(pc.sort_indices(spans.column("trace_id").unique()).to_numpy())
    rank = np.empty(count, np.int64)
    rank[np.lexsort((by_id, begins))] = np.arange(count)
    keys = (depth, start, rank[trace])
    order = np.lexsort(keys)
    same = np.all([np.diff(key[order]) == 0 for key in keys], axis=0)
    if same.any():
        tied = order[np.append(same, False) | np.append(False, same)]
        place = np.zeros(len(order), np.int64)
        ids = spans.column("span_id").take(pa.array(tied))
        place[tied[pc.sort_indices(ids).to_numpy()]] = np.arange(len(tied))
        order = np.lexsort((place, *keys))
    return order, rank[trace]


def _sorted(columns: dict[str, object], order: Ints, parent: Ints, trace_row: Ints) -> pa.Table:
    new_row = np.empty(len(order), np.int64)
    new_row[order] = np.arange(len(order))
    columns["parent_row"] = np.where(parent >= 0, new_row[parent], -1)
    columns["trace_row"] = trace_row
    arrays = []
    for field in ASSEMBLED:
        column = columns[field.name]
        if not isinstance(column, pa.ChunkedArray):
            column = pa.chunked_array([pa.array(column)])
        arrays.append(column.take(pa.array(order)).cast(field.type))
    return pa.Table.from_arrays(arrays, schema=ASSEMBLED)


@dataclass(frozen=True)
class Columns:
    """The numeric columns of ASSEMBLED as numpy arrays, for the rooms that compute on them."""

    trace: Ints
    parent: Ints
    depth: Ints
    start: Ints
    end: Ints
    """Equal to the start for a span not ended."""
    raised: Ints
    """When a span that failed went wrong: its exception, else its end."""
    ended: Bools
    self_ns: Ints
    status: Ints

    @classmethod
    def of(cls, assembled: pa.Table) -> "Columns":
        """Read them out of an assembled table."""

        def ints(name: str) -> Ints:
            values: Ints = assembled.column(name).to_numpy().astype(np.int64)
            return values

        start = ints("start_ns")
        ended = pc.is_valid(assembled.column("end_ns")).to_numpy()
        end = np.where(ended, pc.fill_null(assembled.column("end_ns"), 0).to_numpy(), start)
        raised = pc.fill_null(assembled.column("exception_ns"), -1).to_numpy()
        return cls(
            trace=ints("trace_row"),
            parent=ints("parent_row"),
            depth=ints("depth"),
            start=start,
            end=end,
            raised=np.where((raised >= start) & (raised <= end), raised, end),
            ended=ended,
            self_ns=ints("self_ns"),
            status=ints("status"),
        )
