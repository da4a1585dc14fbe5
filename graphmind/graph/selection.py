"""Which traces the graph keeps: every failing one, a known share of the healthy. Pure.

The kept healthy traces carry a weight, so that the sum of weights estimates the true count.
"""

import zlib
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from graphmind.telemetry.facts import Facts
from graphmind.telemetry.lineage import ACCESS_ORDER, last_writes

FAILING: Final = ("failed", "slow", "hung", "short", "wrong")
"""Outcomes of which every trace is kept; `ok` and `incomplete` are sampled."""
ALL_BELOW: Final = 50_000
"""Windows with fewer traces are kept whole: a minute and a half of writing (measured)."""
STRATUM_MIN: Final = 5
"""Healthy traces kept of each task and minute, if there are as many (chosen)."""
DETAILED_HEALTHY: Final = 3
"""Healthy traces of each task whose spans are kept, to compare with (chosen)."""
MINUTE_NS: Final = 60_000_000_000


def choose_kept(
    facts: Facts, healthy_share: float
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Return which rows of ``facts.traces`` are kept, and the weight of each.

    Kept for certain: failing traces, and those that wrote a value, or began work, that a failing
    one took up. The others are drawn by a hash of their id within task and minute.
    """
    traces = facts.traces
    weights = traces["weight"].to_numpy().astype(np.float64)
    if len(traces) < ALL_BELOW or healthy_share >= 1.0:
        return np.ones(len(traces), np.bool_), weights
    failing = pc.is_in(traces["outcome"], pa.array(FAILING)).to_numpy()
    kept = failing | pc.is_in(traces["trace_id"], taken_up(facts, failing)).to_numpy()
    drawn = np.flatnonzero(~kept)
    factor = _draw(traces.take(pa.array(drawn)), healthy_share)
    kept[drawn] = factor > 0
    weights[drawn] *= factor
    return kept, weights


def choose_detailed(traces: pa.Table) -> NDArray[np.bool_]:
    """Return which rows of ``traces`` keep their spans: the failing, and a few healthy of a task.

    Spans are nine tenths of all rows; of a healthy trace its modules, agents and keys say enough.
    """
    failing = pc.is_in(traces["outcome"], pa.array(FAILING)).to_numpy()
    task = pc.fill_null(traces["task"], "").combine_chunks().dictionary_encode().indices.to_numpy()
    healthy = np.flatnonzero(~failing)
    order = healthy[np.argsort(task[healthy], kind="stable")]
    sizes = np.bincount(task[order], minlength=1)
    rank = np.arange(len(order)) - (np.cumsum(sizes) - sizes)[task[order]]
    detailed: NDArray[np.bool_] = failing.copy()
    detailed[order[rank < DETAILED_HEALTHY]] = True
    return detailed


def taken_up(facts: Facts, failing: NDArray[np.bool_]) -> pa.Array:
    """Return ids of the traces that failing ones read from or continue."""
    bad = facts.traces.filter(pa.array(failing))
    accesses = facts.accesses.sort_by(ACCESS_ORDER)
    readers, writers = (accesses["trace_id"].take(pa.array(rows)) for rows in last_writes(accesses))
    read_from = writers.filter(pc.is_in(readers, bad["trace_id"].combine_chunks()))
    continued = pc.list_flatten(bad["continues"])
    return pa.concat_arrays([read_from.combine_chunks(), continued.combine_chunks()])


def _draw(traces: pa.Table, share: float) -> NDArray[np.float64]:
    """Return 1 / probability for the traces drawn, 0 for the others; shape (n_traces,)."""
    hashes = np.array([zlib.crc32(i.encode()) for i in traces["trace_id"].to_pylist()], np.uint32)
    task = pc.fill_null(traces["task"], "").combine_chunks().dictionary_encode().indices.to_numpy()
    minute = traces["start_ns"].to_numpy() // MINUTE_NS
    order = np.lexsort((hashes, minute, task))
    starts = np.flatnonzero(
        np.r_[True, (np.diff(task[order]) != 0) | (np.diff(minute[order]) != 0)][: len(order)]
    )
    sizes = np.diff(np.r_[starts, len(order)])
    taken = np.minimum(sizes, np.maximum(np.ceil(share * sizes).astype(np.int64), STRATUM_MIN))
    rank = np.arange(len(order)) - np.repeat(starts, sizes)
    factor = np.zeros(len(order))
    factor[order] = np.where(rank < np.repeat(taken, sizes), np.repeat(sizes / taken, sizes), 0.0)
    return factor
