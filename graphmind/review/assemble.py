"""The review of a week, made of its material. The same material gives the same review."""

from collections.abc import Sequence
from datetime import UTC, datetime

from graphmind.review.causes import Standings, standings
from graphmind.review.league import league
from graphmind.review.material import Hour, Material
from graphmind.review.model import Day, Review
from graphmind.review.questions import Asked, questions
from graphmind.review.repairs import repairs_of, saved
from graphmind.review.risks import risks
from graphmind.review.topology import match
from graphmind.review.trends import advices, drifts, faults, paths
from graphmind.review.week import DAY_MS

HOUR_MS = 3_600_000


def assemble(material: Material) -> Review:
    """Assemble the sections; what is empty was looked for and not found."""
    week, traffic = material.week, material.traffic
    causes = standings(material)
    groups = match(material.clusters, material.groups_before)
    ranks = league(traffic.counted, material.before.counted)
    repairs = repairs_of(material)
    advised, drifting = advices(material.advices), drifts(material.drifts)
    traces, failing = _sums(traffic.hours)
    quiet = risks(traffic.counted, material.keys, traces=traces, failed=_failed(material, causes))
    before = _sums(material.before.hours)
    return Review(
        week=week.name,
        since_ms=week.since_ms,
        until_ms=week.until_ms,
        complete=material.complete,
        headline=_headline(causes, traces, failing),
        traces=traces,
        failing=failing,
        traces_before=before[0],
        failing_before=before[1],
        incidents=sum(len(each.incident_ids) for each in (*causes.new, *causes.recurring)),
        known_since_ms=min((each["onset_ms"] for each in material.incidents), default=None),
        saved_s=saved(repairs),
        questions=questions(
            week,
            Asked(
                causes=causes,
                groups=groups,
                ranks=ranks,
                repairs=repairs,
                risks=quiet,
                advices=advised,
                drifts=drifting,
            ),
        ),
        new=causes.new,
        recurring=causes.recurring,
        resolved=causes.resolved,
        days=_days(material),
        topology=groups,
        faults=faults(traffic.faults, material.before.faults),
        paths=paths(traffic.paths, material.before.paths),
        league=ranks,
        advices=advised,
        drifts=drifting,
        repairs=repairs,
        risks=quiet,
    )


def _sums(hours: Sequence[Hour]) -> tuple[float, float]:
    """Return traces and failing ones."""
    return (
        round(sum(each.traces for each in hours), 3),
        round(sum(each.failing for each in hours), 3),
    )


def _failed(material: Material, causes: Standings) -> set[str]:
    """Return what the first causes of the week's incidents name."""
    ids = {one for each in (*causes.new, *causes.recurring) for one in each.incident_ids}
    return {
        f"{item['kind']} {item['name']}"
        for each in material.incidents
        if each["incident_id"] in ids
        for cause in each["causes"][:1]
        for items in (cause["all_of"], *cause["tied"])
        for item in items
    }


def _headline(causes: Standings, traces: float, failing: float) -> str:
    if not traces:
        return "No trace began in this week."
    told = f"{failing:,.0f} of {traces:,.0f} traces failed ({failing / traces:.1%})"
    counts = (len(causes.new), len(causes.recurring), len(causes.resolved))
    if not any(counts):
        return f"{told}; no shared cause stands behind them."
    new, again, gone = counts
    return f"{told}: {new} new, {again} recurring and {gone} resolved causes."


def _days(material: Material) -> tuple[Day, ...]:
    of = {each.at_ms: each for each in material.traffic.hours}
    return tuple(_day(begin, of) for begin in material.week.days_ms)


def _day(begin_ms: int, of: dict[int, Hour]) -> Day:
    hours = [of.get(at_ms) for at_ms in range(begin_ms, begin_ms + DAY_MS, HOUR_MS)]
    traces, failing = _sums([each for each in hours if each])
    return Day(
        day=datetime.fromtimestamp(begin_ms / 1000, UTC).date().isoformat(),
        traces=traces,
        failing=failing,
        hours=tuple(
            round(each.failing / each.traces, 6) if each and each.traces else None for each in hours
        ),
    )
