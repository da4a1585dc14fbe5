"""Which past incidents an incident resembles, and what was done about them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any

from graphmind.jobs.reading.past import incident_as_of
from graphmind.jobs.reading.repairs import newest_live
from graphmind.jobs.stores import Stores
from graphmind.repair.record import Repair
from graphmind.repair.track_record import verdict_of

EFFECTIVE = "effective"
Row = dict[str, Any]


def past_cases(stores: Stores, incident_id: str, *, as_of_ms: int | None = None) -> Row:
    """Return what the analysis found alike, with the repairs of those. Raises UnknownName."""
    incident = incident_as_of(stores.archive, incident_id, as_of_ms)
    seen = incident.get("seen") or {"verdict": None, "matches": []}
    alike = {match["incident_id"] for match in seen["matches"]}
    repairs = _judged(stores, alike, as_of_ms) if alike else []
    newest = {repair.incident_id: repair for repair in reversed(repairs)}
    matches = [match | _told(newest.get(match["incident_id"])) for match in seen["matches"]]
    return {"verdict": seen["verdict"], "matches": matches, "worked": best_strategy(repairs)}


def best_strategy(repairs: Iterable[Repair]) -> Row | None:
    """Return the strategy that was effective most often, of any revision; None if none was."""
    by_strategy: dict[str, list[Repair]] = defaultdict(list)
    for repair in repairs:
        by_strategy[repair.strategy.partition("@")[0]].append(repair)
    tried = [_tried(strategy, found) for strategy, found in sorted(by_strategy.items())]
    effective = [each for each in tried if each["effective"]]
    return max(effective, key=lambda each: (each["effective"], -each["of"]), default=None)


def _judged(stores: Stores, alike: set[str], as_of_ms: int | None) -> Sequence[Repair]:
    """Return live repairs of some incidents that have a verdict, newest first."""
    return [
        repair
        for repair in newest_live(stores)
        if repair.incident_id in alike
        and verdict_of(repair)
        and (as_of_ms is None or (repair.ended_ms or repair.requested_ms) <= as_of_ms)
    ]


def _told(repair: Repair | None) -> Mapping[str, Any]:
    return {
        "strategy": repair.strategy if repair else None,
        "verdict": verdict_of(repair) if repair else None,
        "seconds_to_effect": _seconds(repair) if repair else None,
    }


def _tried(strategy: str, repairs: Sequence[Repair]) -> Row:
    effective = [repair for repair in repairs if verdict_of(repair) == EFFECTIVE]
    known = [seconds for each in effective if (seconds := _seconds(each)) is not None]
    return {
        "strategy": strategy,
        "effective": len(effective),
        "of": len(repairs),
        "median_s": median(known) if known else None,
    }


def _seconds(repair: Repair) -> float | None:
    """Return the time from request to verdict; None where it took none."""
    if repair.ended_ms is None:
        return None
    return (repair.ended_ms - repair.requested_ms) / 1000
