"""Who else touches a cause: the blast radius of an incident, from the items of the window."""

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from graphmind.incidents.incident import Item, NamedCause, Reach
from graphmind.telemetry.facts import Facts

MS_NS: Final = 1_000_000


def reach_of(cause: NamedCause, facts: Facts) -> Reach:
    """Return what the traces that touch all items of the cause touch besides."""
    ids = _touching(cause.all_of, facts.items)
    items = facts.items.filter(pc.is_in(facts.items["trace_id"], value_set=ids))
    traces = facts.traces.filter(pc.is_in(facts.traces["trace_id"], value_set=ids))
    last_ns = pc.max(traces["start_ns"]).as_py()
    return Reach(
        traces=_estimated(traces),
        failing=_estimated(traces.filter(_showing(traces, facts.symptoms))),
        last_ms=None if last_ns is None else last_ns // MS_NS,
        tasks=_names(items, "task"),
        agents=_names(items, "agent"),
        regions=_names(items, "region"),
        written_keys=_keys(cause.all_of, facts.accesses),
    )


def _estimated(traces: pa.Table) -> int:
    """Count traces, each as many as its weight says."""
    return round(pc.sum(pc.fill_null(traces["weight"], 1.0)).as_py() or 0)


def _showing(traces: pa.Table, symptoms: pa.Table) -> pa.ChunkedArray:
    """Whether each trace shows a symptom."""
    shown = symptoms.filter(pc.is_valid(symptoms["channel"]))["trace_id"]
    return pc.is_in(traces["trace_id"], value_set=shown.combine_chunks())


def _touching(items: tuple[Item, ...], touched: pa.Table) -> pa.Array:
    ids: pa.Array | None = None
    for item in items:
        same = pc.and_(pc.equal(touched["kind"], item.kind), pc.equal(touched["name"], item.name))
        own = pc.unique(touched.filter(same)["trace_id"])
        ids = own if ids is None else own.filter(pc.is_in(own, value_set=ids))
    assert ids is not None, "a cause has an item"
    return ids


def _names(items: pa.Table, kind: str) -> tuple[str, ...]:
    names = pc.unique(items.filter(pc.equal(items["kind"], kind))["name"])
    return tuple(sorted(names.to_pylist()))


def _keys(items: tuple[Item, ...], accesses: pa.Table) -> tuple[str, ...]:
    """Return the keys that are the cause, or that the writer named by it wrote."""
    keys: set[str] = set()
    writes = accesses.filter(pc.equal(accesses["op"], "write"))
    for item in items:
        if item.kind == "kv_key":
            keys.add(item.name)
        elif item.kind.startswith(("written_by_", "fed_by_")):
            column = "agent" if item.kind.endswith("_agent") else "trace_id"
            keys |= set(writes.filter(pc.equal(writes[column], item.name))["key"].to_pylist())
    return tuple(sorted(keys))
