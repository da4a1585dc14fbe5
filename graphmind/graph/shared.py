"""Rows of what traces share: agents, models, keys, modules and how they hang together. Pure."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from graphmind.graph.port import Row
from graphmind.graph.schema import NODES, key_of
from graphmind.telemetry.facts import Facts

SEEN: Final = [("start_ms", "min"), ("seen_ms", "max")]
MS_NS: Final = 1_000_000


def shared_nodes(spans: pa.Table, facts: Facts) -> dict[str, list[Row]]:
    """Return the rows of the nodes that spans name, with when they were first and last seen.

    ``spans`` are ASSEMBLED with the columns of ``projection.with_milliseconds``.
    """
    tasks = _with_seen(facts.traces, facts.traces["start_ns"], facts.traces["duration_ns"])
    accesses = _with_seen(facts.accesses, facts.accesses["at_ns"], None)
    versions = _named(spans, "model", "ModelVersion", _version, "provider")
    requested = _named(spans, "model_requested", "ModelVersion", _version)
    return {
        "Task": _named(tasks, "task", "Task", lambda key: {"name": key}),
        "Agent": _agents(spans),
        "AgentInstance": _named(spans, "instance", "AgentInstance"),
        "Service": _named(spans, "service", "Service"),
        "Model": [_model(row) for row in versions + requested],
        "ModelVersion": versions + requested,
        "PromptVersion": _named(spans, "prompt_version", "PromptVersion"),
        "Tool": _named(spans, "tool", "Tool"),
        "Module": _named(spans, "module", "Module"),
        "Region": _named(spans, "region", "Region"),
        "Endpoint": _named(spans, "endpoint", "Endpoint"),
        "ErrorCode": _named(spans, "error_code", "ErrorCode"),
        "KvKey": _named(accesses, "key", "KvKey", lambda key: {"store": key.partition(":")[0]}),
    }


def shared_edges(spans: pa.Table) -> dict[tuple[str, str, str], list[Row]]:
    """Return the rows of the relationships between the nodes that spans name."""
    sender = pc.coalesce(spans["handoff_from"], spans["agent"])
    handed = spans.append_column("sender", sender).append_column(
        "receiver", pc.coalesce(spans["handoff_to"], spans["agent"])
    )
    handed = handed.filter(
        pc.or_(handed["handoff_from"].is_valid(), handed["handoff_to"].is_valid())
    )
    models = spans.append_column("base", _base(spans["model"]))
    return {
        ("AgentInstance", "RUNS", "Agent"): _linked(spans, "instance", "agent"),
        ("Agent", "LOCATED_IN", "Region"): _linked(spans, "agent", "region"),
        ("ModelVersion", "VERSION_OF", "Model"): _linked(models, "model", "base"),
        ("Agent", "HANDED_OFF_TO", "Agent"): [
            row for row in _linked(handed, "sender", "receiver") if row["from"] != row["to"]
        ],
        ("Module", "CALLS", "Module"): _calls(spans),
    }


def is_named(column: Any) -> Any:
    """Return which values are text that is not empty: only they can be keys."""
    return pc.fill_null(pc.greater(pc.binary_length(column), 0), False)


def _named(
    table: pa.Table,
    column: str,
    label: str,
    more: Callable[[str], Row] = lambda _key: {},
    extra: str = "",
) -> list[Row]:
    """Return one row a value of a column, with what its key says and the greatest ``extra``."""
    known = table.filter(is_named(table[column]))
    wanted = [*SEEN, (extra, "max")] if extra else SEEN
    found = known.group_by(column).aggregate(wanted)
    return [
        {
            key_of(NODES[label]): row[column],
            "firstSeenMs": row["start_ms_min"],
            "lastSeenMs": row["seen_ms_max"],
            **({extra: row[f"{extra}_max"]} if extra else {}),
            **more(row[column]),
        }
        for row in found.to_pylist()
    ]


def _agents(spans: pa.Table) -> list[Row]:
    """Return the agents that worked, handed work over or took it."""
    versions = spans.rename_columns(
        ["version" if name == "agent_version" else name for name in spans.column_names]
    )
    return [
        *_named(spans, "handoff_from", "Agent", _agent_name),
        *_named(spans, "handoff_to", "Agent", _agent_name),
        *_named(versions, "agent", "Agent", _agent_name, "version"),
    ]


def _agent_name(key: str) -> Row:
    return {"name": key.rpartition("/")[2]}


def _version(key: str) -> Row:
    return {"version": key.partition("@")[2] or None}


def _model(version: Row) -> Row:
    return {
        "name": version["key"].partition("@")[0],
        "provider": version.get("provider"),
        "firstSeenMs": version["firstSeenMs"],
        "lastSeenMs": version["lastSeenMs"],
    }


def _base(versions: Any) -> Any:
    return pc.list_element(pc.split_pattern(versions, "@", max_splits=1), 0)


def _linked(table: pa.Table, from_column: str, to_column: str) -> list[Row]:
    known = table.filter(pc.and_(is_named(table[from_column]), is_named(table[to_column])))
    found = known.group_by([from_column, to_column]).aggregate(SEEN)
    return [
        {
            "from": row[from_column],
            "to": row[to_column],
            "firstSeenMs": row["start_ms_min"],
            "lastSeenMs": row["seen_ms_max"],
        }
        for row in found.to_pylist()
    ]


def _calls(spans: pa.Table) -> list[Row]:
    """Count the calls from one module into another, with their 95th percentile (nearest rank)."""
    children = spans.filter(pc.greater_equal(spans["parent_row"], 0))
    pairs = children.append_column("caller", spans["module"].take(children["parent_row"]))
    pairs = pairs.filter(pc.fill_null(pc.not_equal(pairs["caller"], pairs["module"]), False))
    found = pairs.group_by(["caller", "module"]).aggregate(
        [*SEEN, ("failed", "count"), ("failed", "sum"), ("duration_ms", "list")]
    )
    durations = found["duration_ms_list"].combine_chunks()
    return [
        {
            "from": row["caller"],
            "to": row["module"],
            "calls": row["failed_count"],
            "errors": row["failed_sum"],
            "p95Ms": _p95(each.values.drop_null().to_numpy()),
            "firstSeenMs": row["start_ms_min"],
            "lastSeenMs": row["seen_ms_max"],
        }
        for row, each in zip(
            found.drop_columns("duration_ms_list").to_pylist(), durations, strict=True
        )
    ]


def _p95(durations: NDArray[np.float64]) -> float | None:
    if not len(durations):
        return None
    return float(np.sort(durations)[int(np.ceil(0.95 * len(durations))) - 1])


def _with_seen(table: pa.Table, start_ns: Any, duration_ns: Any) -> pa.Table:
    end_ns = start_ns if duration_ns is None else pc.add(start_ns, duration_ns)
    return table.append_column("start_ms", pc.divide(start_ns, MS_NS)).append_column(
        "seen_ms", pc.divide(end_ns, MS_NS)
    )
