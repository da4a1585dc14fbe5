"""Which causes of a week are new, recurring or resolved.

Versions, numbers and ids come and go, so a cause is told by what kind of thing it is and the
family of its name: ``atlas@3.1.8`` that fails as ``atlas@3.1.7`` did is the same cause again. What
the data could not tell apart counts as well: incidents that share any of it are of one cause.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from graphmind.matching.names import NAMELESS, NAMESPACED, family
from graphmind.review.material import Document, Material, Repairs
from graphmind.review.model import CauseOfWeek
from graphmind.review.week import DAY_MS, Week


@dataclass(frozen=True, kw_only=True)
class Standings:
    """The causes of a week, those with most failing traces first."""

    new: tuple[CauseOfWeek, ...]
    recurring: tuple[CauseOfWeek, ...]
    resolved: tuple[CauseOfWeek, ...]


def names_of(incident: Document) -> frozenset[str]:
    """Return by what the cause of an incident is told; never empty."""
    named = {
        " + ".join(sorted(_name(item["kind"], item["name"]) for item in items))
        for cause in incident["causes"][:1]
        for items in (cause["all_of"], *cause["tied"])
    }
    where = incident["root_module"] or "unknown place"
    return frozenset(named) or frozenset({f"{incident['symptom']} at {where}"})


def _name(kind: str, name: str) -> str:
    if kind in NAMELESS:
        return f"{kind} {name}"
    if kind in NAMESPACED:
        name = name.partition(":")[0].partition("/")[0]
    return f"{kind} {family(name) or name}"


def last_failing_ms(incident: Document) -> int:
    """Return when the last trace failed of which the incident tells."""
    told = incident.get("last_failing_ms")
    if told is not None:
        return int(told)
    return max(
        [int(incident["onset_ms"]), *(int(cause["until_ms"]) for cause in incident["causes"])]
    )


def weeks_of(incident: Document, seen: Mapping[int, int]) -> frozenset[str]:
    """Return the weeks in which an incident had failing traces; by its dates where none is kept."""
    days = seen or range(incident["onset_ms"], last_failing_ms(incident) + DAY_MS, DAY_MS)
    last = Week.of(last_failing_ms(incident)).name
    named = {Week.of(day).name for day in days}
    return frozenset(name for name in named if seen or name <= last)


def standings(material: Material) -> Standings:
    """Sort the causes known by the end of the week.

    New: seen in the week, never before. Recurring: seen in it and before. Resolved: seen in the
    week before, and not in this one.
    """
    known = [each for each in material.incidents if each["onset_ms"] < material.week.until_ms]
    told: dict[str, list[CauseOfWeek]] = {"new": [], "recurring": [], "resolved": []}
    for incidents in _grouped(known):
        weeks = {
            str(each["incident_id"]): weeks_of(each, material.seen.get(each["incident_id"], {}))
            for each in incidents
        }
        standing = _standing(frozenset().union(*weeks.values()), material.week)
        if standing:
            told[standing].append(_cause(material, incidents, weeks, standing))
    ranked = {
        name: tuple(sorted(rows, key=lambda row: (-row.failing, -row.failing_before, row.cause)))
        for name, rows in told.items()
    }
    return Standings(**ranked)


def _standing(weeks: frozenset[str], week: Week) -> str | None:
    if week.name in weeks:
        return "recurring" if min(weeks) < week.name else "new"
    return "resolved" if week.before.name in weeks else None


def _grouped(incidents: Sequence[Document]) -> list[list[Document]]:
    """Put incidents of one cause together, each group newest first."""
    groups: list[tuple[set[str], list[Document]]] = []
    for incident in sorted(incidents, key=lambda each: (-each["onset_ms"], each["incident_id"])):
        names, members = set(names_of(incident)), [incident]
        apart = []
        for group in groups:
            if group[0] & names:
                names |= group[0]
                members = group[1] + members
            else:
                apart.append(group)
        groups = [*apart, (names, members)]
    order = lambda each: (-each["onset_ms"], each["incident_id"])  # noqa: E731 - used once
    return [sorted(members, key=order) for _, members in groups]


def _cause(
    material: Material,
    incidents: Sequence[Document],
    weeks: Mapping[str, frozenset[str]],
    standing: str,
) -> CauseOfWeek:
    week = material.week
    shown = (week.before if standing == "resolved" else week).name
    own = [each for each in incidents if shown in weeks[each["incident_id"]]]
    newest = own[0]
    days = _by_day(incidents, material.seen, week)
    before = sum(_by_day(incidents, material.seen, week.before))
    seen_in = sorted({name for names in weeks.values() for name in names if name <= week.name})
    exposed = [
        material.exposed[i] for each in own if (i := each["incident_id"]) in material.exposed
    ]
    repair = _repair({each["incident_id"] for each in incidents}, material.repairs, week)
    row: dict[str, Any] = {
        "cause": newest["causes"][0]["label"] if newest["causes"] else "not named",
        "symptom": newest["symptom"],
        "incident_ids": tuple(each["incident_id"] for each in own),
        "state": newest["state"],
        "confidence": round(newest["confidence"], 4),
        "failing": sum(days),
        "failing_before": before,
        "days": days,
        "weeks": tuple(seen_in),
        "repair": repair,
        "exposed": max(exposed) if exposed else None,
    }
    return CauseOfWeek(**row, said=_said(standing, row))


def _by_day(
    incidents: Sequence[Document], seen: Mapping[str, Mapping[int, int]], week: Week
) -> tuple[int, ...]:
    own = [seen.get(each["incident_id"], {}) for each in incidents]
    return tuple(sum(days.get(day, 0) for days in own) for day in week.days_ms)


def _repair(ids: set[str], repairs: Sequence[Repairs], week: Week) -> str:
    for repair in repairs:
        if repair.incident_id in ids and repair.requested_ms < week.until_ms:
            return repair.verdict or repair.state
    return ""


_CLOSED: Final = "closed"


def _said(standing: str, row: Mapping[str, Any]) -> str:
    if standing == "resolved":
        exposed = row["exposed"]
        if exposed is None:
            return "no failure this week; whether it was touched is not known"
        if not exposed:
            return "no failure this week, but nothing touched it: untested, not proven"
        return f"{exposed:,.0f} traces touched it this week and none failed of it"
    over = "over since" if row["state"] == _CLOSED else "going on"
    if standing == "new":
        return f"never seen before; {over}"
    return f"seen in {len(row['weeks'])} weeks, first in {row['weeks'][0]}; {over}"
