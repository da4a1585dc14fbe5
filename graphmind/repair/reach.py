"""What a repair would hit, by the facts of the archive: the same answers as the graph gives. Pure.

The graph is written bit by bit and lags behind an incident that has just begun; what is planned
then would hit nobody by it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from graphmind.graph.port import Row
from graphmind.graph.selection import FAILING
from graphmind.repair.impact import Rows, Scope
from graphmind.telemetry.facts import Facts

TOUCHED: Final = (
    *("agent", "instance", "service", "model_version", "model_requested"),
    *("prompt_version", "kv_key", "region"),
)
"""Kinds of item that a scope names, as the question ``repair_scope`` looks for them."""
USERS: Final = {"agent": "Agent", "region": "Region"}
SNAPSHOT: Final = "agent_state_snapshot:"
UNENDED: Final = ("hung", "incomplete")


def reach_of(facts: Facts, scope: Scope, incident: Mapping[str, Any]) -> Rows:
    """Answer as ``ask_impact`` does, of the traces in ``facts``."""
    known = _known(facts)
    hit = _hit(facts, scope, incident)
    own = known.filter(pc.is_in(known["trace_id"], value_set=hit))
    return Rows(scope=_by_task(own), users=_users(facts, own), traffic=_by_task(known))


def joined(graph: Rows, archive: Rows) -> Rows:
    """Take the larger of each number: either store may not know all of it yet."""
    return Rows(
        scope=_larger(graph.scope, archive.scope, ("task",)),
        users=_larger(graph.users, archive.users, ("kind", "name")),
        traffic=_larger(graph.traffic, archive.traffic, ("task",)),
    )


def _known(facts: Facts) -> pa.Table:
    """Return the traces with what is counted of each, in weights: as the columns of Rows."""
    traces = facts.traces
    weight = pc.fill_null(traces["weight"], 1.0)
    nothing = pa.scalar(0.0)
    failing = pc.is_in(traces["outcome"], value_set=pa.array(FAILING))
    ended = pc.or_(
        pc.fill_null(traces["complete"], True),
        pc.invert(pc.is_in(traces["outcome"], value_set=pa.array(UNENDED))),
    )
    saved = pc.is_in(traces["trace_id"], value_set=_saving(facts))
    return pa.table(
        {
            "trace_id": traces["trace_id"],
            "task": pc.fill_null(traces["task"], ""),
            "traces": weight,
            "failing": pc.if_else(failing, weight, nothing),
            "unfinished": pc.if_else(ended, nothing, weight),
            "snapshots": pc.if_else(saved, weight, nothing),
            "unsaved": pc.if_else(pc.or_(ended, saved), nothing, weight),
        }
    )


def _hit(facts: Facts, scope: Scope, incident: Mapping[str, Any]) -> pa.Array:
    """Return the ids of the traces in scope."""
    names = pa.array(scope.names, pa.string())
    kinds = pa.array(TOUCHED)
    items = facts.items.filter(pc.is_in(facts.items["kind"], value_set=kinds))
    touching = items.filter(pc.is_in(items["name"], value_set=names))["trace_id"]
    members = incident["trace_ids"] if incident["incident_id"] in scope.names else ()
    ids = pa.array([*members, *touching.unique().to_pylist()], pa.string())
    if not scope.also:
        return ids
    both = items.filter(
        pc.and_(pc.equal(items["name"], scope.also), pc.is_in(items["trace_id"], value_set=ids))
    )
    return both["trace_id"].unique()


def _saving(facts: Facts) -> pa.Array:
    """Return the ids of the traces that wrote a snapshot of their state."""
    accesses = facts.accesses
    is_one = pc.and_(
        pc.equal(accesses["op"], "write"), pc.match_substring(accesses["key"], SNAPSHOT)
    )
    return accesses.filter(is_one)["trace_id"].unique()


def _by_task(traces: pa.Table) -> list[Row]:
    columns = ("traces", "failing", "unfinished", "snapshots", "unsaved")
    summed = traces.group_by("task").aggregate([(name, "sum") for name in columns])
    names = {f"{name}_sum": name for name in columns}
    return [
        {names.get(key, key): value for key, value in row.items()} for row in summed.to_pylist()
    ]


def _users(facts: Facts, own: pa.Table) -> list[Row]:
    """Return agents and regions of the traces hit; whether an agent restarts hot is not known."""
    kinds = pa.array(USERS)
    items = facts.items.filter(pc.is_in(facts.items["kind"], value_set=kinds))
    touched = items.select(["trace_id", "kind", "name"]).join(
        own.select(["trace_id", "traces"]), keys="trace_id", join_type="inner"
    )
    summed = touched.group_by(["kind", "name"]).aggregate([("traces", "sum")])
    return [
        {
            "kind": USERS[row["kind"]],
            "name": row["name"],
            "traces": row["traces_sum"],
            "hot_restart": None,
        }
        for row in summed.to_pylist()
    ]


def _larger(some: Sequence[Row], others: Sequence[Row], key: tuple[str, ...]) -> list[Row]:
    found: dict[tuple[Any, ...], Row] = {}
    for row in (*some, *others):
        name = tuple(row[part] for part in key)
        known = found.get(name, {})
        found[name] = {column: _more(known.get(column), row.get(column)) for column in known | row}
    return list(found.values())


def _more(known: Any, value: Any) -> Any:
    given = [each for each in (known, value) if each is not None]
    return max(given, default=None)
