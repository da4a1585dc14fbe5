"""The effect of repairs (S31): runs by strategy, times, coverage, figures before and after."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any, Final

from graphmind.jobs.panels.incidents import newest_repairs, went_on
from graphmind.jobs.panels.view import Row, View, share
from graphmind.jobs.reading.repairs import newest_live
from graphmind.jobs.stores import Stores
from graphmind.repair.record import Repair
from graphmind.repair.states import LIVE, State
from graphmind.repair.track_record import verdict_of

UNEXPLAINED: Final = "unexplained"
VERDICTS: Final = ("effective", "ineffective", "harmful", "inconclusive")
FIGURES: Final = ("p95_ms", "failure_rate", "answer_rate")
WAITING: Final = LIVE | {State.PROPOSED, State.PLANNED, State.AWAITING_APPROVAL, State.APPROVED}
"""States from which something may follow yet."""

Incidents = Mapping[str, Mapping[str, Any]]


def live_repairs(stores: Stores, view: View) -> list[Repair]:
    """Return the repairs that went on meanwhile, newest first; dry runs are none."""
    return [
        each for each in newest_live(stores) if view.meets(each.requested_ms, _last_ms(each, view))
    ]


def _last_ms(repair: Repair, view: View) -> int:
    if repair.state in WAITING:
        return view.until_ms
    return max(repair.requested_ms, repair.executed_ms or 0, repair.ended_ms or 0)


def runs(repairs: Iterable[Repair], incidents: Incidents) -> list[Row]:
    """Return repairs with the time of each stage, and how long the traces they are for took.

    ``detect_s``: from the onset until the incident was opened. ``decide_s``: from the request to
    the start. ``run_s``: to the last step. ``verify_s``: to the verdict. ``loop_s``: all of it.
    """
    return [_run(each, incidents.get(each.incident_id, {})) for each in repairs]


def _run(repair: Repair, incident: Mapping[str, Any]) -> Row:
    onset, opened = incident.get("onset_ms"), incident.get("opened_ms")
    before: Mapping[str, Any] = repair.verification.get("effect", {}).get("before", {})
    started, executed, ended = repair.started_ms, repair.executed_ms, repair.ended_ms
    return {
        "repair_id": repair.repair_id,
        "time": repair.requested_ms,
        "incident_id": repair.incident_id,
        "cluster_id": repair.cluster_id,
        "strategy": repair.strategy,
        "level": repair.level,
        "target": repair.target,
        "state": str(repair.state),
        "verdict": verdict_of(repair),
        "operator": repair.operator,
        "traces": len(repair.command.get("trace_scope", ())),
        "trace_p95_ms": before.get("p95_ms"),
        "detect_s": _seconds(onset, opened),
        "decide_s": _seconds(repair.requested_ms, started),
        "run_s": _seconds(started, executed),
        "verify_s": _seconds(executed, ended),
        "loop_s": _seconds(onset, ended),
    }


def _seconds(first_ms: int | None, last_ms: int | None) -> float | None:
    if first_ms is None or last_ms is None:
        return None
    return (last_ms - first_ms) / 1000


def strategies(repairs: Iterable[Repair]) -> list[Row]:
    """Return by revision of a strategy how often it ran, and with what effect; most runs first."""
    of: dict[str, list[Repair]] = defaultdict(list)
    for repair in repairs:
        if repair.started_ms is not None:
            of[repair.strategy].append(repair)
    rows = [{"strategy": name, **record(found)} for name, found in of.items()]
    return sorted(rows, key=lambda row: (-row["runs"], row["strategy"]))


def record(repairs: Sequence[Repair]) -> Row:
    """Return how repairs that ran turned out, in numbers."""
    verdicts = [verdict_of(each) for each in repairs]
    counts = {verdict: verdicts.count(verdict) for verdict in VERDICTS}
    judged = counts["effective"] + counts["ineffective"] + counts["harmful"]
    seconds = [
        taken
        for each in repairs
        if verdict_of(each) == "effective"
        and (taken := _seconds(each.requested_ms, each.ended_ms)) is not None
    ]
    return {
        "runs": len(repairs),
        **counts,
        "success_share": share(counts["effective"], judged),
        "median_s": median(seconds) if seconds else None,
    }


def coverage(
    repairs: Iterable[Repair], incidents: Iterable[Mapping[str, Any]], view: View
) -> list[Row]:
    """Return by kind of root cause how many incidents had a repair, and how many an effective one.

    ``coverage`` is the share of the incidents that a strategy was found for and planned.
    """
    newest, of = newest_repairs(repairs), defaultdict(list)
    for incident in incidents:
        if went_on(incident, view):
            causes = incident["causes"]
            of[causes[0]["kind"] if causes else UNEXPLAINED].append(incident["incident_id"])
    return [
        {
            "root_cause": kind,
            "incidents": len(ids),
            "planned": sum(id_ in newest for id_ in ids),
            "effective": sum(_worked(newest.get(id_)) for id_ in ids),
            "coverage": share(sum(id_ in newest for id_ in ids), len(ids)),
        }
        for kind, ids in sorted(of.items())
    ]


def _worked(repair: Repair | None) -> bool:
    return repair is not None and verdict_of(repair) == "effective"


def figures(repairs: Iterable[Repair]) -> list[Row]:
    """Return what was measured when healthy, in the incident and after each repair (S31)."""
    return [_figure(repair, name) for repair in repairs for name in _measured(repair)]


def _measured(repair: Repair) -> Sequence[str]:
    return FIGURES if "effect" in repair.verification else ()


def _figure(repair: Repair, name: str) -> Row:
    effect: Mapping[str, Any] = repair.verification["effect"]
    return {
        "repair_id": repair.repair_id,
        "time": repair.executed_ms or repair.requested_ms,
        "strategy": repair.strategy,
        "figure": name,
        "healthy": effect["healthy"].get(name),
        "before": effect["before"].get(name),
        "after": effect["after"].get(name),
        "back": effect.get("back", {}).get(name),
    }
