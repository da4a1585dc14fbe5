"""The outline of each trace: root, task, unit, duration, counts; before any symptom is known."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graphmind.telemetry.assembly import Columns
from graphmind.telemetry.spans import STATUS_ERROR
from graphmind.telemetry.tree import Bools, Ints

KINDS_PER_TRACE_MAX = 0.1
"""Task ids are kinds of tasks, not runs, if there are at most this many per trace (chosen)."""


@dataclass(frozen=True, kw_only=True)
class Outline:
    """One entry per trace, in the order of ``trace_row``."""

    count: int
    root: Ints
    """Row of the root span; of several, the first; of none, the first orphan."""
    rooted: Bools
    """Whether that root is a real one."""
    start: Ints
    end: Ints
    spans: Ints
    errors: Ints
    complete: Bools
    """One root, no orphan, all ended."""
    task: pa.Array
    stratum: Ints
    """Number of the task."""
    unit: pa.Array


def outline(assembled: pa.Table, columns: Columns) -> Outline:
    """Outline the traces of an assembled table."""
    count = int(columns.trace.max(initial=-1)) + 1
    first, spans = _first_rows(columns.trace, count)
    top = columns.parent < 0
    orphan = assembled.column("orphan").to_numpy(zero_copy_only=False)
    root = _first_where(top & ~orphan, columns.trace, count)
    roots = np.bincount(columns.trace[top & ~orphan], minlength=count)
    orphans = np.bincount(columns.trace[orphan], minlength=count)
    open_spans = np.bincount(columns.trace[~columns.ended], minlength=count)
    end = columns.start[first].copy()
    np.maximum.at(end, columns.trace, columns.end)
    rooted = root >= 0
    root = np.where(rooted, root, first)
    task, unit = _task_and_unit(assembled, columns, root, rooted)
    encoded = task.dictionary_encode()
    return Outline(
        count=count,
        root=root,
        rooted=rooted,
        start=columns.start[first],
        end=end,
        spans=spans,
        errors=np.bincount(columns.trace[columns.status == STATUS_ERROR], minlength=count),
        complete=(roots == 1) & (orphans == 0) & (open_spans == 0),
        task=task,
        stratum=encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64),
        unit=unit,
    )


def _first_rows(trace: Ints, count: int) -> tuple[Ints, Ints]:
    """Return the first row and the number of rows of each trace; rows are sorted by trace."""
    sizes = np.bincount(trace, minlength=count)
    return np.cumsum(sizes) - sizes, sizes


def _first_where(mask: Bools, trace: Ints, count: int) -> Ints:
    """Return the first row of each trace where the mask holds, -1 where nowhere."""
    rows = np.flatnonzero(mask)
    found = np.full(count, -1, np.int64)
    found[trace[rows[::-1]]] = rows[::-1]
    return found


def _task_and_unit(
    assembled: pa.Table, columns: Columns, root: Ints, rooted: Bools
) -> tuple[pa.Array, pa.Array]:
    """Name the task of each trace, and the job that it is one attempt of.

    A platform may put a run's id or a kind's name into the task id: few ids over many traces are
    kinds. Without either, the root's operation is the task; a trace without root has none.
    """
    count = len(root)
    named = _first_value(assembled.column("task"), columns, count)
    ids = _first_value(assembled.column("task_id"), columns, count)
    own = assembled.column("trace_id").take(pa.array(root)).combine_chunks()
    name = assembled.column("name").take(pa.array(root)).combine_chunks()
    by_root = pc.if_else(pa.array(rooted), name, None)
    if pc.count_distinct(ids).as_py() <= KINDS_PER_TRACE_MAX * count:
        return pc.fill_null(pc.coalesce(named, ids, by_root), ""), own
    return pc.fill_null(pc.coalesce(named, by_root), ""), pc.coalesce(ids, own)


def _first_value(column: pa.ChunkedArray, columns: Columns, count: int) -> pa.Array:
    rows = _first_where(pc.is_valid(column).to_numpy(), columns.trace, count)
    return column.take(pa.array(rows, mask=rows < 0)).combine_chunks()
