"""The window: what one analysis reads of the traces, as arrays, and how it comes from the facts."""

from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graphmind.analysis.incidence import Codes, Flags, Floats, Incidence, Integers
from graphmind.analysis.strata import derive_strata
from graphmind.telemetry.facts import CHANNELS, ITEM_KINDS, Facts

NEVER: Final = np.iinfo(np.int64).max
# Symptom categories that tell causes apart, with the power of their likelihood. Measured.
DESCRIPTORS: Final = (("error_code", 1.0), ("fault_path", 0.5))
# Chosen: a task that is missing or different on most traces says nothing about their kind.
TASK_SHARE_MIN: Final = 0.5


@dataclass(frozen=True, kw_only=True)
class Descriptor:
    """A symptom category of each trace, for assignment only."""

    codes: Codes
    """(n,), -1 for none."""
    power: float
    """Exponent of its likelihood."""


@dataclass(frozen=True, kw_only=True)
class Window:
    """n traces in the order of their start, what they touched and how they failed."""

    start_ns: Integers
    """(n,), ascending."""
    items: Incidence
    """Traces x items."""
    touched_ns: Integers
    """(entries of items,), first touch of the item by the trace."""
    item_kinds: tuple[str, ...]
    item_names: tuple[str, ...]
    """Of each item; ids ascend by (kind, name), so ties broken by id are broken by name."""
    failing: dict[str, Flags]
    """Channel -> (n,) whether the trace shows a symptom there."""
    failing_ns: dict[str, Integers]
    """Channel -> (n,) when its first symptom began, NEVER where there is none."""
    weight: Floats
    """(n,), 1 / sampling probability."""
    unit: Codes
    """(n,), the job the trace is an attempt of."""
    stratum: Codes
    """(n,), kind of task: failures are compared within it."""
    descriptors: tuple[Descriptor, ...] = ()
    cut: Flags | None = None
    """(n,), whether the trace hangs and was cut off, so that it does not tell all it touched."""
    observable: dict[str, Flags] = field(default_factory=dict)
    """Channel -> (n,) whether a failure would show there; a channel not named shows every one."""

    @property
    def n(self) -> int:
        """Number of traces."""
        return len(self.start_ns)

    def take(self, rows: Integers) -> "Window":
        """Take some rows, ascending."""
        return replace(
            self,
            start_ns=self.start_ns[rows],
            items=self.items.take(rows),
            touched_ns=self.touched_ns[self.items.positions(rows)],
            failing={channel: flags[rows] for channel, flags in self.failing.items()},
            failing_ns={channel: times[rows] for channel, times in self.failing_ns.items()},
            weight=self.weight[rows],
            unit=self.unit[rows],
            stratum=self.stratum[rows],
            descriptors=tuple(replace(d, codes=d.codes[rows]) for d in self.descriptors),
            cut=None if self.cut is None else self.cut[rows],
            observable={channel: flags[rows] for channel, flags in self.observable.items()},
        )


def items_before_symptom(window: Window, channel: str) -> Incidence:
    """Drop items first touched after the symptom began.

    Fallbacks, retries and handlers are effects: with them in, precision falls from 1.00 to .19.
    """
    began = window.failing_ns[channel]
    rows = np.flatnonzero(began != NEVER)
    positions = window.items.positions(rows)
    late = window.touched_ns[positions] > np.repeat(began[rows], window.items.lengths(rows))
    if not late.any():
        return window.items
    kept = np.ones(len(window.items.columns), bool)
    kept[positions[late]] = False
    return window.items.only(kept)


def one_row_per_unit(window: Window) -> Integers:
    """Rows that stand for their unit: its first failing trace, else its first. Ascending.

    Attempts of one job are one observation: 20 % of failures resubmitted made a false finding in
    15 of 15 quiet windows.
    """
    healthy = ~np.any([np.zeros(window.n, bool), *window.failing.values()], axis=0)
    order = np.lexsort((healthy, window.unit))
    first = np.diff(window.unit[order], prepend=-1) != 0
    return np.sort(order[first])


def rows_observed(window: Window, channel: str, rows: Integers) -> Integers:
    """Those of the rows on which a failure would show in the channel."""
    return rows[window.observable[channel][rows]] if channel in window.observable else rows


def window_from_facts(facts: Facts) -> Window:
    """Arrange the facts of some traces, in the rows' order, for analysis."""
    traces = facts.traces
    items, touched_ns, kinds, names = _incidence(facts)
    failing_ns = _failing_ns(facts)
    return Window(
        start_ns=_numbers(traces["start_ns"], missing=0),
        items=items,
        touched_ns=touched_ns,
        item_kinds=kinds,
        item_names=names,
        failing={channel: began != NEVER for channel, began in failing_ns.items()},
        failing_ns=failing_ns,
        weight=np.maximum(_numbers(traces["weight"], missing=1), 1.0),
        unit=_units(traces["unit"]),
        stratum=_strata(traces["task"], items, failing_ns),
        descriptors=tuple(
            Descriptor(codes=_encode(traces[name])[0], power=power) for name, power in DESCRIPTORS
        ),
        cut=pc.and_not(pc.equal(traces["outcome"], "hung"), traces["complete"]).to_numpy(),
        # Where nobody judged the result, a wrong one does not show.
        observable={"quality": pc.fill_null(traces["evaluated"], False).to_numpy()},
    )


def _incidence(facts: Facts) -> tuple[Incidence, Integers, tuple[str, ...], tuple[str, ...]]:
    """Items of each trace once, with the earliest touch; their kinds and names."""
    table, n = facts.items, facts.traces.num_rows
    row = _rows(table["trace_id"], facts.traces)
    kind = _numbers(pc.index_in(table["kind"], value_set=pa.array(ITEM_KINDS)), missing=-1)
    name, names = _encode(table["name"])
    known = (row >= 0) & (kind >= 0) & (name >= 0)
    label = kind[known] * len(names) + name[known]
    item, labels = _dense(label, len(ITEM_KINDS) * len(names))
    touched = _numbers(table["first_ns"], missing=0)[known]
    starts, columns, touched = _first_touches(row[known], item, touched, n, len(labels))
    return (
        Incidence(starts=starts, columns=columns, width=len(labels)),
        touched,
        tuple(ITEM_KINDS[kind] for kind in (labels // max(len(names), 1)).tolist()),
        tuple(names[name] for name in (labels % max(len(names), 1)).tolist()),
    )


def _first_touches(
    row: Integers, item: Integers, touched: Integers, n: int, width: int
) -> tuple[Integers, Codes, Integers]:
    """Sort pairs by row and item, repeated ones merged: starts, columns, earliest touches."""
    pair = row * width + item
    order = np.argsort(pair)
    pair, touched = pair[order], touched[order]
    first = np.flatnonzero(np.diff(pair, prepend=-1))
    if len(first) < len(pair):
        touched = np.minimum.reduceat(touched, first)
        pair = pair[first]
    rows, columns = np.divmod(pair, max(width, 1))
    starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=n))])
    return starts, columns.astype(np.int32), touched


def _dense(label: Integers, bound: int) -> tuple[Integers, Integers]:
    """Renumber the labels that occur from 0, ascending: number of each, label of each number."""
    occurs = np.zeros(bound, bool)
    occurs[label] = True
    return (np.cumsum(occurs) - 1)[label], np.flatnonzero(occurs)


def _failing_ns(facts: Facts) -> dict[str, Integers]:
    """When the first symptom of each trace began, per channel that shows any; NEVER elsewhere."""
    table = facts.symptoms
    row = _rows(table["trace_id"], facts.traces)
    channel = _numbers(pc.index_in(table["channel"], value_set=pa.array(CHANNELS)), missing=-1)
    # A symptom without a time cuts nothing: it may have begun after every touch.
    began = _numbers(table["began_ns"], missing=NEVER - 1)
    found = {}
    for number, name in enumerate(CHANNELS):
        own = (channel == number) & (row >= 0)
        if own.any():
            found[name] = np.full(facts.traces.num_rows, NEVER)
            np.minimum.at(found[name], row[own], began[own])
    return found


def _units(column: pa.ChunkedArray) -> Codes:
    """Encode the units; a trace that names none is its own."""
    codes, units = _encode(column)
    alone = codes < 0
    codes[alone] = len(units) + np.arange(int(alone.sum()))
    return codes


def _strata(task: pa.ChunkedArray, items: Incidence, failing_ns: dict[str, Integers]) -> Codes:
    """Encode the kinds of task, derived from the items where the task tells no kinds apart."""
    codes, tasks = _encode(task)
    known = int((codes >= 0).sum())
    if known >= TASK_SHARE_MIN * len(codes) and len(tasks) <= TASK_SHARE_MIN * known:
        return codes
    healthy = np.all(
        [np.ones(len(codes), bool), *(t == NEVER for t in failing_ns.values())], axis=0
    )
    return derive_strata(items, healthy)


def _rows(trace_id: pa.ChunkedArray, traces: pa.Table) -> Integers:
    """Row of each trace id, -1 where it is not in the window."""
    return _numbers(pc.index_in(trace_id, value_set=traces["trace_id"]), missing=-1)


def _numbers(column: pa.ChunkedArray, *, missing: int) -> Integers:
    """Values of a column, nulls replaced."""
    filled = pc.fill_null(column, pa.scalar(missing, column.type))
    values = filled.to_numpy()
    return np.asarray(values if values.dtype == np.float64 else values.astype(np.int64))


def _encode(column: pa.ChunkedArray) -> tuple[Codes, list[str]]:
    """Encode text in its sorted order, -1 for null; and the values."""
    encoded = column.dictionary_encode().unify_dictionaries()
    if not encoded.num_chunks:
        return np.zeros(0, np.int32), []
    values = encoded.chunk(0).dictionary
    order = pc.array_sort_indices(values)
    rank = np.full(len(values) + 1, -1, np.int32)
    rank[order.to_numpy()] = np.arange(len(values))
    codes = np.concatenate(
        [pc.fill_null(chunk.indices, len(values)).to_numpy() for chunk in encoded.chunks]
    )
    return rank[codes], values.take(order).to_pylist()
