"""What happens, told as it happens: documents of the API in, happenings out. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

Json = Mapping[str, Any]

ENDED: Final = frozenset(
    {
        *("succeeded", "ineffective", "inconclusive", "rolled_back"),
        *("expired", "rejected", "failed", "intercepted", "suppressed"),
    }
)
"""States of a repair after which nothing more comes by itself, or only a relapse."""


@dataclass(frozen=True, kw_only=True)
class Happening:
    """Something that was not so at the last look."""

    at_ms: int
    kind: str
    """incident, cause, plan, approval, state, recovering, verdict, refusal"""
    text: str


@dataclass(frozen=True, kw_only=True)
class Named:
    """The first cause that an incident named at a moment."""

    incident_id: str
    cause: str
    """``kind:name``, several joined by `` + ``."""
    confidence: float
    at_ms: int


@dataclass(kw_only=True)
class Watch:
    """Compares each look with the one before."""

    named: list[Named] = field(default_factory=list)
    """First causes in the order they were named; a change of mind is another entry."""
    _incidents: dict[str, str | None] = field(default_factory=dict)
    _repairs: dict[str, dict[str, Any]] = field(default_factory=dict)
    _refused: set[tuple[str, str]] = field(default_factory=set)

    def look(
        self, now_ms: int, incidents: Sequence[Json], repairs: Sequence[Json]
    ) -> list[Happening]:
        """Return what is new, oldest first."""
        found = [
            *(each for one in incidents for each in self._incident(now_ms, one)),
            *(each for one in repairs for each in self._repair(now_ms, one)),
        ]
        return sorted(found, key=lambda each: each.at_ms)

    def refused(self, now_ms: int, refusals: Iterable[Json]) -> list[Happening]:
        """Return the incidents newly found to have no automatic repair."""
        found = []
        for one in refusals:
            key = (str(one["incident_id"]), str(one["summary"]))
            if key not in self._refused:
                self._refused.add(key)
                text = f"{key[0]}: {key[1]}"
                found.append(Happening(at_ms=now_ms, kind="refusal", text=text))
        return found

    def _incident(self, now_ms: int, incident: Json) -> Iterator[Happening]:
        name, cause = incident["incident_id"], incident["cause"]
        if name not in self._incidents:
            text = f"{name} opened: {incident['trace_count']} traces, {incident['symptom']}"
            yield Happening(at_ms=now_ms, kind="incident", text=text)
        if cause and cause != self._incidents.get(name):
            named = Named(
                incident_id=name,
                cause=cause_of(cause),
                confidence=incident["confidence"],
                at_ms=now_ms,
            )
            self.named.append(named)
            text = f"{name} names {named.cause} first, confidence {named.confidence:.2f}"
            yield Happening(at_ms=now_ms, kind="cause", text=text)
        self._incidents[name] = cause

    def _repair(self, now_ms: int, repair: Json) -> Iterator[Happening]:
        name = repair["repair_id"]
        known = self._repairs.setdefault(name, {"state": "", "recovering": False, "verdict": ""})
        if repair["plan"] and not known.get("plan"):
            known["plan"] = True
            yield Happening(at_ms=repair["requested_ms"], kind="plan", text=_plan_in_words(repair))
        if repair["state"] != known["state"]:
            known["state"] = repair["state"]
            at_ms = _since_ms(repair) or now_ms
            why = f": {repair['reason']}" if repair["reason"] else ""
            text = f"{name} is {repair['state'].replace('_', ' ')}{why}"
            yield Happening(at_ms=at_ms, kind="state", text=text)
        seen = repair["verification"]
        if seen.get("recovering") and not known["recovering"]:
            known["recovering"] = True
            yield Happening(at_ms=now_ms, kind="recovering", text=f"{name}: recovering")
        if repair["verdict"] and repair["verdict"] != known["verdict"]:
            known["verdict"] = repair["verdict"]
            reasons = "; ".join(seen.get("reasons", ()))
            text = f"{name}: {repair['verdict']}{f' ({reasons})' if reasons else ''}"
            yield Happening(at_ms=now_ms, kind="verdict", text=text)


def cause_of(label: str) -> str:
    """Return ``kind:name`` of a cause in words, as repairs and ground truths name it."""
    return " + ".join(":".join(item.split(" ", 1)) for item in label.split(" + "))


def has_ended(repair: Json) -> bool:
    """Whether a repair waits for nothing any more; a proposal that was given up has not begun."""
    return repair["state"] in ENDED or (
        repair["state"] == "harmful" and repair["verification"].get("remedy") == "page"
    )


def was_run(repair: Json) -> bool:
    """Whether a repair began to change the world."""
    return repair["started_ms"] is not None


def _since_ms(repair: Json) -> int | None:
    """Return when a repair came to its state, where its record says so."""
    if repair["state"] == "verifying":
        return int(repair["executed_ms"])
    return int(repair["ended_ms"]) if repair["ended_ms"] else None


def _plan_in_words(repair: Json) -> str:
    steps = [
        f"{step['call']['action']} {step['call']['target']}" for step in repair["plan"]["steps"]
    ]
    hit = repair["plan"]["impact"]
    return (
        f"{repair['repair_id']} planned by {repair['strategy']} for {repair['root_cause']} "
        f"({repair['level']} level): {', '.join(steps)}; hits {hit['traces']} traces, "
        f"{hit['share']:.0%} of the traffic"
    )
