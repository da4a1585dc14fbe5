"""Retries and fallbacks that no attribute states: they show between the siblings of one parent."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graphmind.telemetry.models import family
from graphmind.telemetry.numbering import numbered, numbered_texts
from graphmind.telemetry.tree import Bools, Ints, siblings


def retries(spans: pa.Table, failed: Bools, parent: Ints, start: Ints) -> Ints:
    """Return how many attempts at the same thing, by name, model, key and tool, failed before."""
    rows = siblings(parent, failed)
    counts = np.zeros(len(parent), np.int64)
    if not len(rows):
        return counts
    same = numbered(spans.take(pa.array(rows)), "name", "model_requested", "kv_key", "tool")
    order = np.lexsort((start[rows], same, parent[rows]))
    rows, same = rows[order], same[order]
    again = np.append(False, (np.diff(same) == 0) & (np.diff(parent[rows]) == 0))
    again[1:] &= failed[rows[:-1]]
    place = np.arange(len(rows))
    counts[rows] = place - np.maximum.accumulate(np.where(again, 0, place))
    return counts


def fallbacks(spans: pa.Table, failed: Bools, parent: Ints, start: Ints) -> Bools:
    """Return which spans took another model: than the one asked for, or than one that failed."""
    taken = _rerouted(spans["model_requested"], spans["model_version"])
    rows = siblings(parent, failed)
    model = numbered_texts(spans["model_requested"].take(pa.array(rows)))
    rows, model = rows[model >= 0], model[model >= 0]
    order = np.lexsort((start[rows], parent[rows]))
    rows, model = rows[order], model[order]
    another = (np.diff(parent[rows]) == 0) & (np.diff(model) != 0) & failed[rows[:-1]]
    taken[rows[1:][another]] = True
    return taken


def _rerouted(requested: pa.ChunkedArray, answered: pa.ChunkedArray) -> Bools:
    """Return where a model of another family answered than the one asked for.

    A name to which no family answers is a route with a name of its own, not a model.
    """
    both = np.flatnonzero(pc.and_(pc.is_valid(requested), pc.is_valid(answered)).to_numpy())
    pairs = pa.table({"requested": requested, "answered": answered}).take(pa.array(both))
    number = numbered(pairs, "requested", "answered")
    _, first = np.unique(number, return_index=True)
    distinct = [
        (family(pair["requested"]), family(pair["answered"]))
        for pair in pairs.take(pa.array(first)).to_pylist()
    ]
    families = {got for _, got in distinct}
    differ = np.array([asked != got and asked in families for asked, got in distinct], bool)
    rerouted = np.zeros(len(requested), bool)
    rerouted[both] = differ[number]
    return rerouted
