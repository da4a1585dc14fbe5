"""What each trace touched, and when first: the candidates for a shared cause."""

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graphmind.telemetry.aftermath import Aftermath
from graphmind.telemetry.assembly import Columns
from graphmind.telemetry.facts import ITEMS
from graphmind.telemetry.lineage import Ancestry, History, ancestry_of, history_of
from graphmind.telemetry.numbering import dense, numbered_texts
from graphmind.telemetry.outline import Outline
from graphmind.telemetry.spans import STATUS_ERROR
from graphmind.telemetry.tree import Bools, Ints

SPAN_KINDS = (
    *("agent", "service", "instance", "model_version", "model_requested", "prompt_version"),
    *("tool", "module", "region", "endpoint", "kv_key"),
)
"""Item kinds that a span's own column names."""

DESCENDANTS_MIN: Final = 8
"""Traces that must descend from a write to name who wrote it (algorithms.md, section 1)."""
FAILING_MIN: Final = 5
"""Failing ones among them: with fewer it is no cause. Measured: a seventh of all items less."""


def touched(assembled: pa.Table, columns: Columns, traces: Outline, after: Aftermath) -> pa.Table:
    """Return the items of each trace (schema ITEMS) from its spans, and its task."""
    ids = assembled.column("trace_id")
    parts = [_of_column(assembled, columns, kind, ids, after) for kind in SPAN_KINDS]
    named = pc.not_equal(traces.task, "")
    roots = pa.array(traces.root)
    parts.append(
        _rows(
            ids.take(roots).filter(named),
            "task",
            traces.task.filter(named),
            pa.array(traces.start).filter(named),
        )
    )
    return pa.concat_tables(parts)


def inherited(accessed: pa.Table, failing: pa.Array) -> pa.Table:
    """Return the items that reads bring in: who wrote the value, and whom the writer built on.

    Takes ACCESSES in any order; those of a whole window, since a later load may bring the write.
    Whom writers built on is told where enough of the failing traces (ids) descend from it.
    """
    history = history_of(accessed)
    ancestry = ancestry_of(history)
    fails = pc.is_in(history.accesses["trace_id"], value_set=failing).to_numpy()
    parts = []
    for column, direct, distant in (
        ("agent", "written_by_agent", "fed_by_agent"),
        ("trace_id", "written_by_trace", "fed_by_trace"),
    ):
        parts.append(_written_by(history, direct, column))
        parts.append(_fed_by(history, ancestry, distant, column, fails))
    return pa.concat_tables(parts)


def _written_by(history: History, kind: str, column: str) -> pa.Table:
    accessed, reads = history.accesses, pa.array(history.reads)
    names = accessed.column(column).take(pa.array(history.sources))
    reader, at = accessed.column("trace_id").take(reads), accessed.column("at_ns").take(reads)
    table = _rows(reader, kind, names, at).filter(pc.is_valid(names))
    return (
        table.group_by(["trace_id", "kind", "name"])
        .aggregate([("first_ns", "min")])
        .rename_columns(ITEMS.names)
        .cast(ITEMS)
    )


def _fed_by(history: History, ancestry: Ancestry, kind: str, column: str, fails: Bools) -> pa.Table:
    """Name what the traces descend from, if it can be named and is not all read directly.

    Where every descendant read the value itself, ``written_by`` says the same. ``fails`` says of
    each access whether its trace does.
    """
    accessed = history.accesses
    code = numbered_texts(accessed.column(column))[ancestry.write]
    width = int(code.max(initial=0)) + 1
    known = np.flatnonzero(code >= 0)
    pair = history.trace[history.reads[ancestry.read[known]]] * width + code[known]
    place = np.argsort(pair)
    order, first = known[place], np.flatnonzero(np.diff(pair[place], prepend=-1))
    if not len(first):
        return ITEMS.empty_table()
    code = code[order[first]]
    read = history.reads[np.minimum.reduceat(ancestry.read[order], first)]
    distant = np.minimum.reduceat(ancestry.hops[order], first) > 1
    told = (
        (np.bincount(code, minlength=width) >= DESCENDANTS_MIN)
        & (np.bincount(code, fails[read], width) >= FAILING_MIN)
        & (np.bincount(code, distant, width) > 0)
    )
    kept = told[code]
    read = read[kept]
    return _rows(
        accessed.column("trace_id").take(pa.array(read)),
        kind,
        accessed.column(column).take(pa.array(ancestry.write[order[first[kept]]])),
        accessed.column("at_ns").take(pa.array(read)),
    )


def _of_column(
    assembled: pa.Table, columns: Columns, kind: str, ids: pa.ChunkedArray, after: Aftermath
) -> pa.Table:
    names = assembled.column(kind)
    if kind == "agent":
        names = pc.if_else(assembled.column("agent_named"), names, None)
    if kind == "model_requested":
        names = _never_answering(names, assembled.column("model_version"))
    codes = numbered_texts(names)
    if kind == "module":
        codes = np.where(_ever_well(codes, columns.status), codes, -1)
    starts = after.first_touches(codes)
    rows = np.flatnonzero(codes >= 0)
    width = int(codes.max(initial=0)) + 1
    first = _first_touches(dense(columns.trace[rows] * width + codes[rows]))
    at = pa.array(rows[first])
    return _rows(ids.take(at), kind, names.take(at), pa.array(starts[rows[first]]))


def _never_answering(requested: pa.ChunkedArray, version: pa.ChunkedArray) -> pa.ChunkedArray:
    """Keep the names requested under which nothing answers: the others are versions already."""
    answers = pc.is_in(requested, value_set=pc.unique(version))
    return pc.if_else(answers, None, requested)


def _ever_well(codes: Ints, status: Ints) -> Bools:
    """Rows whose name is also on a span that did not fail.

    A module all of whose spans failed is a name for the failure: where it shows, not what it is.
    """
    known = codes[codes >= 0]
    well = np.bincount(known[status[codes >= 0] != STATUS_ERROR], minlength=len(codes) + 1) > 0
    return (codes >= 0) & well[codes]


def _first_touches(keys: Ints) -> Ints:
    """Return the first position of each key 0, 1, 2, ...; rows of a trace are sorted by time."""
    first = np.zeros(int(keys.max(initial=-1)) + 1, np.int64)
    first[keys[::-1]] = np.arange(len(keys))[::-1]
    return first


def _rows(ids: pa.ChunkedArray, kind: str, names: pa.ChunkedArray, first: pa.Array) -> pa.Table:
    return pa.Table.from_arrays(
        [ids, pa.repeat(pa.scalar(kind, pa.string()), len(ids)), names, first], schema=ITEMS
    )
