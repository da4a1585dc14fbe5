"""Traces as a verification sees them: root requests with a cell, and what they touched. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from graphmind.repair.model import Plan
from graphmind.telemetry.facts import Facts
from graphmind.verification.effect import Seen
from graphmind.verification.exposure import Cell
from graphmind.verification.request import Attempt

MS_NS: Final = 1_000_000
PARTS: Final = ("task", "region", "agent")
"""What is fixed at a request's start: its kind of task, its first region, its first agent."""
MOVES: Final[Mapping[str, str]] = {
    "drain": "region",
    "fail_over": "region",
    "set_weight": "region",
    "disable": "agent",
}
"""Actions that decide themselves where later requests go: that part tells nothing afterwards."""
BAD_OUTCOMES: Final = frozenset({"slow", "wrong", "metric"})
"""Kinds of symptom that are no failure of the request: slow and wrong have metrics of their own."""
CALLBACK_WORDS: Final = ("callback", "webhook")
"""A module with one of these in its name delivers an answer (chosen)."""

Item = tuple[str, str]
"""Kind and name of what a trace touches."""


@dataclass(frozen=True, kw_only=True)
class Trace:
    """One trace, as far as a verification asks."""

    trace_id: str
    unit: str
    parts: Cell
    """As PARTS; empty texts where telemetry does not say."""
    attempt: Attempt
    calls_back: bool
    """It reached a module that delivers answers."""
    answered: bool
    """... and did not fail there."""

    @property
    def duration_ms(self) -> float | None:
        """How long it took; None where it did not end."""
        end_ms = self.attempt.end_ms
        return None if end_ms is None else float(end_ms - self.attempt.start_ms)

    def seen(self, *, callbacks: bool) -> Seen:
        """Return it for the record of the effect; ``callbacks``: its kind of task answers so."""
        failed = self.attempt.failed or self.attempt.end_ms is None
        return Seen(
            duration_ms=self.duration_ms,
            failed=failed,
            answered=(self.calls_back and self.answered) if callbacks else None,
        )


def traces_of(facts: Facts) -> list[Trace]:
    """Read the traces of some facts, by their start."""
    first = {kind: _first_touched(facts.items, kind) for kind in ("region", "agent")}
    failed, wrong = _symptoms(facts.symptoms)
    calls_back, undelivered = _callbacks(facts)
    columns = ("trace_id", "unit", "task", "start_ns", "duration_ns", "outcome", "complete")
    return [
        Trace(
            trace_id=row["trace_id"],
            unit=row["unit"] or row["trace_id"],
            parts=(
                row["task"] or "",
                first["region"].get(row["trace_id"], ""),
                first["agent"].get(row["trace_id"], ""),
            ),
            attempt=Attempt(
                start_ms=row["start_ns"] // MS_NS,
                end_ms=_end_ms(row),
                failed=row["trace_id"] in failed,
                wrong_ms=wrong.get(row["trace_id"]),
            ),
            calls_back=row["trace_id"] in calls_back,
            answered=row["trace_id"] not in undelivered,
        )
        for row in facts.traces.select(columns).to_pylist()
        if row["start_ns"] is not None
    ]


def touching(facts: Facts, groups: Iterable[frozenset[Item]]) -> set[str]:
    """Return ids of the traces that touch all items of one of the groups."""
    by_item: dict[Item, set[str]] = {}
    found: set[str] = set()
    for group in groups:
        for item in group:
            by_item.setdefault(item, _touching(facts.items, item))
        found |= set.intersection(*(by_item[item] for item in group)) if group else set()
    return found


def causes_of(incident: Mapping[str, Any]) -> list[frozenset[Item]]:
    """Return what the causes of an incident name; the first, and others of the same kinds.

    Several causes of one kind stand for a group that telemetry does not name.
    """
    named = [
        frozenset((item["kind"], item["name"]) for item in cause["all_of"])
        for cause in incident["causes"]
    ]
    kinds = {kind for kind, _ in named[0]} if named else set()
    found = [group for group in named if {kind for kind, _ in group} == kinds]
    if not found and incident["root_module"]:
        return [frozenset({("module", incident["root_module"])})]
    return found


def destinations_of(plan: Plan) -> list[frozenset[Item]]:
    """Return what a plan moves load to, as far as its parameters name it."""
    found: list[frozenset[Item]] = []
    for step in plan.steps:
        to = step.call.params.get("to")
        if not isinstance(to, str):
            continue
        if step.call.action == "switch_model_version":
            version = to if "@" in to else f"{step.call.target}@{to}"
            found.append(frozenset({("model_version", version)}))
        elif step.call.action == "fail_over":
            found.append(frozenset({("region", to)}))
    return found


def kept_parts(plan: Plan) -> tuple[int, ...]:
    """Return which of PARTS still say the same of a request after the plan was run."""
    moved = {MOVES[s.call.action] for s in plan.steps if s.call.action in MOVES}
    if any(s.call.action == "disable" and s.level == "region" for s in plan.steps):
        moved.add("region")
    return tuple(number for number, part in enumerate(PARTS) if part not in moved)


def cell_of(trace: Trace, parts: Sequence[int]) -> Cell:
    """Return the cell of a trace, of the parts given."""
    return tuple(trace.parts[part] for part in parts)


def requests_of(traces: Iterable[Trace]) -> dict[str, list[Trace]]:
    """Group the attempts of each request, by their start."""
    grouped: dict[str, list[Trace]] = defaultdict(list)
    for trace in sorted(traces, key=lambda each: each.attempt.start_ms):
        grouped[trace.unit].append(trace)
    return grouped


def _end_ms(row: Mapping[str, Any]) -> int | None:
    """Return when a trace ended; None where it hangs, or its end never came."""
    if row["duration_ns"] is None or (
        not row["complete"] and row["outcome"] in {"hung", "incomplete"}
    ):
        return None
    return int((row["start_ns"] + row["duration_ns"]) // MS_NS)


def _first_touched(items: pa.Table, kind: str) -> dict[str, str]:
    own = items.filter(pc.equal(items["kind"], kind)).select(["trace_id", "name", "first_ns"])
    ordered = own.sort_by([("first_ns", "ascending"), ("name", "ascending")])
    found: dict[str, str] = {}
    for row in ordered.to_pylist():
        found.setdefault(row["trace_id"], row["name"])
    return found


def _symptoms(symptoms: pa.Table) -> tuple[set[str], dict[str, int]]:
    """Return who failed, and when whose answer was wrong, ms."""
    failed, wrong = set(), dict[str, int]()
    for row in symptoms.select(["trace_id", "kind", "channel", "began_ns"]).to_pylist():
        if row["channel"] == "quality" or row["kind"] == "wrong":
            wrong[row["trace_id"]] = (row["began_ns"] or 0) // MS_NS
        elif row["channel"] is not None and row["kind"] not in BAD_OUTCOMES:
            failed.add(row["trace_id"])
    return failed, wrong


def _callbacks(facts: Facts) -> tuple[set[str], set[str]]:
    """Return who reached a module that delivers answers, and who failed there."""
    modules = facts.items.filter(pc.equal(facts.items["kind"], "module"))
    reached = _named_callback(modules["trace_id"], modules["name"])
    shown = facts.symptoms.filter(pc.is_valid(facts.symptoms["channel"]))
    undelivered = _named_callback(shown["trace_id"], shown["module"])
    # A module all of whose spans failed is no item of the trace.
    return reached | undelivered, undelivered


def _named_callback(trace_ids: pa.ChunkedArray, modules: pa.ChunkedArray) -> set[str]:
    lower = pc.utf8_lower(pc.fill_null(modules, ""))
    is_one = [pc.match_substring(lower, word) for word in CALLBACK_WORDS]
    return set(trace_ids.filter(pc.or_(*is_one)).to_pylist())


def _touching(items: pa.Table, item: Item) -> set[str]:
    kind, name = item
    is_it = pc.and_(pc.equal(items["kind"], kind), pc.equal(items["name"], name))
    return set(items.filter(is_it)["trace_id"].to_pylist())
