"""The repairs of a week, and how much time the effective ones saved."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Final

from graphmind.review.causes import last_failing_ms, names_of
from graphmind.review.material import Document, Material, Repairs
from graphmind.review.model import RepairOfWeek

COMPARED_MIN: Final = 3
"""Incidents without an effective repair that the estimate needs (chosen)."""
EFFECTIVE: Final = "effective"


def repairs_of(material: Material) -> tuple[RepairOfWeek, ...]:
    """Return the repairs asked for in the week, newest first.

    What an effective one saved is estimated as the median time that incidents without one lasted,
    of the same cause if there are enough, less the time that its own lasted; never below 0.
    """
    known = {
        str(each["incident_id"]): each
        for each in material.incidents
        if each["onset_ms"] < material.week.until_ms
    }
    mended = {each.incident_id for each in material.repairs if each.verdict == EFFECTIVE}
    left = [each for name, each in known.items() if name not in mended and _over(each)]
    return tuple(
        _row(each, known.get(each.incident_id), left)
        for each in material.repairs
        if material.week.holds(each.requested_ms)
    )


def saved(repairs: Sequence[RepairOfWeek]) -> float | None:
    """Add up what was estimated; None where nothing was."""
    known = [each.saved_s for each in repairs if each.saved_s is not None]
    return round(sum(known), 3) if known else None


def _over(incident: Document) -> bool:
    return bool(incident["state"] == "closed" and incident.get("merged_into") is None)


def _row(repair: Repairs, incident: Document | None, left: Sequence[Document]) -> RepairOfWeek:
    causes: Sequence[Mapping[str, str]] = incident["causes"] if incident else ()
    saved_s, why = _saved(repair, incident, left)
    ended = repair.ended_ms
    return RepairOfWeek(
        repair_id=repair.repair_id,
        incident_id=repair.incident_id,
        cause=causes[0]["label"] if causes else "not named",
        strategy=repair.strategy,
        operator=repair.operator,
        state=repair.state,
        verdict=repair.verdict,
        requested_ms=repair.requested_ms,
        effect_s=None if ended is None else (ended - repair.requested_ms) / 1000,
        saved_s=saved_s,
        why=why,
    )


def _saved(
    repair: Repairs, incident: Document | None, left: Sequence[Document]
) -> tuple[float | None, str]:
    if repair.verdict != EFFECTIVE:
        return None, "only an effective repair saves time"
    if incident is None:
        return None, "its incident is not kept"
    alike = [each for each in left if names_of(each) & names_of(incident)]
    of_same = len(alike) >= COMPARED_MIN
    compared = alike if of_same else left
    if len(compared) < COMPARED_MIN:
        return None, (
            f"only {len(compared)} incidents ended without a repair; {COMPARED_MIN} are needed"
        )
    usual, own = median(_lasted_s(each) for each in compared), _lasted_s(incident)
    alike_words = "of the same cause " if of_same else ""
    why = (
        f"{len(compared)} incidents {alike_words}without an effective repair lasted {usual:,.0f} s "
        f"in the median, this one {own:,.0f} s"
    )
    return round(max(usual - own, 0.0), 3), why


def _lasted_s(incident: Document) -> float:
    return float(max(last_failing_ms(incident) - incident["onset_ms"], 0)) / 1000
