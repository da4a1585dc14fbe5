"""What a repair would hit, by what the graph knows (S12): questions asked, answers summed up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, Final, Protocol

from graphmind.graph.port import Row
from graphmind.repair.model import Call, Impact, Level
from graphmind.repair.strategies.actions import ENDS_WORK, RECORDS

TASKS_MAX: Final = 1_000
"""Kinds of task counted; the largest of them (chosen: more than any platform names)."""
HOUR_MS: Final = 3_600_000
ONSET_MIN_MS: Final = 60_000
"""An incident younger than this is counted as so old: its rate is not known yet (chosen)."""


class Read(Protocol):
    """Answers a question by name, as a graph store does."""

    def __call__(self, name: str, /, **params: Any) -> list[Row]:
        """Return the rows of the answer."""


@dataclass(frozen=True, kw_only=True)
class Intent:
    """A call and the level at which it acts, before anything is read of its target."""

    level: Level
    call: Call


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What the traces hit touch."""

    names: tuple[str, ...]
    """Any of these; sorted."""
    also: str = ""
    """And this; empty: nothing more."""


@dataclass(frozen=True, kw_only=True)
class Rows:
    """The answers of ``repair_scope``, ``repair_users`` and ``window_traffic``."""

    scope: Sequence[Row]
    users: Sequence[Row]
    traffic: Sequence[Row]


def scope_of(steps: Sequence[Intent], incident: Mapping[str, Any]) -> Scope:
    """Say whom steps hit: who touches their targets; of a model, the version that is the cause.

    Steps that only write down what happened hit nobody. Steps on traces hit those of the incident.
    A conjunction narrows it where every step is told the region that it is about.
    """
    items = {item["kind"]: item["name"] for item in _items(incident)}
    acting = [step for step in steps if step.call.action not in RECORDS]
    blamed = items.get("model_version") or items.get("model_requested")
    names = set()
    for step in acting:
        if step.level == "trace":
            names.add(incident["incident_id"])
        elif step.level == "model":
            names.add(blamed or step.call.target)
        else:
            names.add(step.call.target.removeprefix("class:"))
    region = items.get("region", "")
    above = [step for step in acting if step.level != "trace"]
    narrowed = above and all(step.call.params.get("region") == region for step in above)
    return Scope(names=tuple(sorted(names)), also=region if narrowed else "")


def ask_impact(read: Read, scope: Scope, *, from_ms: int, until_ms: int) -> Rows:
    """Ask the graph about a window. Raises StoreError."""
    window = {"from_ms": from_ms, "until_ms": until_ms}
    traffic = read("window_traffic", limit=TASKS_MAX, **window)
    if not scope.names:
        return Rows(scope=(), users=(), traffic=traffic)
    asked = {"names": "\n".join(scope.names), "also": scope.also, **window}
    return Rows(
        scope=read("repair_scope", limit=TASKS_MAX, **asked),
        users=read("repair_users", limit=TASKS_MAX, **asked),
        traffic=traffic,
    )


def impact_of(rows: Rows, steps: Sequence[Intent], incident: Mapping[str, Any]) -> Impact:
    """Sum up what the graph answered, for these steps."""
    traces = _sum(rows.scope, "traces")
    traffic = _sum(rows.traffic, "traces")
    hot = _hot_restart(rows.users, steps)
    return Impact(
        traces=ceil(traces),
        unfinished=ceil(_sum(rows.scope, "unfinished")),
        tasks=tuple(sorted(row["task"] for row in rows.scope if row["task"])),
        agents=_names(rows.users, "Agent"),
        regions=_names(rows.users, "Region"),
        share=round(min(traces / traffic, 1.0), 4) if traffic else 0.0,
        hot_restart=hot,
        snapshots=ceil(_sum(rows.scope, "snapshots")),
        context_lost=_context_lost(rows.scope, steps, hot=hot),
        expected_gain=expected_gain(incident),
    )


def expected_gain(incident: Mapping[str, Any]) -> float:
    """Return the failing traces an hour that the first cause adds: those that would stop."""
    if not incident["causes"]:
        return 0.0
    cause = incident["causes"][0]
    added = cause["failed_with"] * (1 - 1 / max(cause["risk_ratio"], 1.0))
    lasted_ms = max(cause["until_ms"] - cause["onset_ms"], ONSET_MIN_MS)
    return float(round(added * HOUR_MS / lasted_ms, 1))


def _hot_restart(users: Sequence[Row], steps: Sequence[Intent]) -> bool | None:
    """Whether all agents meant restart hot; one of which it is not known counts as cold."""
    meant = {step.call.target.removeprefix("class:") for step in steps if step.level == "agent"}
    hot = {row["name"] for row in users if row["kind"] == "Agent" and row["hot_restart"]}
    return meant <= hot if meant else None


def _context_lost(
    scope: Sequence[Row], steps: Sequence[Intent], *, hot: bool | None
) -> tuple[str, ...]:
    """Return the tasks with work under way that has no snapshot, if a step ends work."""
    ending = [step for step in steps if step.call.action in ENDS_WORK]
    if not ending or (hot and all(step.call.action == "restart" for step in ending)):
        return ()
    return tuple(sorted(row["task"] for row in scope if row["unsaved"] > 0))


def _names(users: Sequence[Row], kind: str) -> tuple[str, ...]:
    return tuple(sorted(row["name"] for row in users if row["kind"] == kind))


def _sum(rows: Sequence[Row], column: str) -> float:
    return float(sum(row[column] for row in rows))


def _items(incident: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    causes = incident["causes"]
    return list(causes[0]["all_of"]) if causes else []
