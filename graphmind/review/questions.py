"""Questions to discuss, each with the places where its evidence can be seen."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from graphmind.graph.questions import bind, question
from graphmind.review import wording as w
from graphmind.review.causes import Standings
from graphmind.review.model import (
    Advice,
    AgentDrift,
    CauseOfWeek,
    DiscussionQuestion,
    EvidenceLink,
    Group,
    Rank,
    RepairOfWeek,
    Risk,
)
from graphmind.review.week import WEEK_HOURS, Week

API: Final = "/api/v1"
QUESTIONS_MAX: Final = 12
"""What an hour has time for (chosen)."""
EACH_MAX: Final = 3
"""Of one sort (chosen)."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The sections of a review that leave something to decide."""

    causes: Standings
    groups: Sequence[Group]
    ranks: Sequence[Rank]
    repairs: Sequence[RepairOfWeek]
    risks: Sequence[Risk]
    advices: Sequence[Advice]
    drifts: Sequence[AgentDrift]


def questions(week: Week, of: Asked) -> tuple[DiscussionQuestion, ...]:
    """Return what the week leaves to decide, the most pressing first."""
    advised = {each.leave for each in of.advices}
    worse = [each for each in of.ranks if each.trend == "worse" and each.name not in advised]
    sorts = (
        [_new(each) for each in of.causes.new],
        [_recurring(each) for each in of.causes.recurring],
        [_repair(each) for each in of.repairs if each.verdict in _BAD],
        [_advice(week, each) for each in of.advices],
        [_rank(week, each) for each in worse],
        [_drift(week, each) for each in of.drifts],
        [_untested(each) for each in of.causes.resolved if not each.exposed],
        [_group(week, each) for each in of.groups if each.standing == "new"],
        list(_risks(week, of.risks)),
    )
    return tuple(each for sort in sorts for each in sort[:EACH_MAX])[:QUESTIONS_MAX]


_BAD: Final = ("ineffective", "harmful")


def _new(cause: CauseOfWeek) -> DiscussionQuestion:
    text = (
        f"New: {cause.cause} ({_symptom(cause)}, {_traces(cause.failing)}). What let it in, and "
        "who owns it?"
    )
    return DiscussionQuestion(text=text, evidence=_of_incidents(cause.incident_ids))


def _recurring(cause: CauseOfWeek) -> DiscussionQuestion:
    if cause.repair == "effective":
        ask = "Repairs worked and it came back: which lasting fix replaces them?"
    elif cause.repair:
        ask = f"Its newest repair is {cause.repair}: which one is tried next?"
    else:
        ask = "No repair was tried: which one should be?"
    text = f"Again: {cause.cause} in {len(cause.weeks)} weeks ({_traces(cause.failing)}). {ask}"
    return DiscussionQuestion(text=text, evidence=_of_incidents(cause.incident_ids))


def _untested(cause: CauseOfWeek) -> DiscussionQuestion:
    text = (
        f"{cause.cause} caused no failure this week, but nothing is known to have touched it. Is "
        "it fixed, or only unused?"
    )
    return DiscussionQuestion(text=text, evidence=_of_incidents(cause.incident_ids))


def _repair(repair: RepairOfWeek) -> DiscussionQuestion:
    text = (
        f"The repair {repair.strategy} of {repair.cause} was {repair.verdict}. Should the strategy "
        "be changed or switched off?"
    )
    evidence = _evidence(
        f"repair {repair.repair_id}",
        href=f"/incidents/{quote(repair.incident_id, safe='')}",
        api=f"{API}/repairs/{quote(repair.repair_id, safe='')}",
        ask="repairs_of_incident",
        incident_id=repair.incident_id,
    )
    return DiscussionQuestion(text=text, evidence=(evidence,))


def _rank(week: Week, rank: Rank) -> DiscussionQuestion:
    collection = {"model_version": "model-versions", "region": "regions"}[rank.kind]
    name = quote(rank.name, safe="")
    time = _time(week)
    before = 0.0 if rank.share_before is None else rank.share_before
    text = (
        f"{rank.kind.replace('_', ' ')} {rank.name} fails {rank.share:.1%} of its traces, after "
        f"{before:.1%} the week before. Should traffic move?"
    )
    evidence = _evidence(
        f"{rank.name} by version and region",
        href=f"/health/{collection}/{name}?{time}",
        api=f"{API}/{collection}/{name}?{time}",
        ask="failing_share_by_model_and_region",
        from_ms=week.since_ms,
        until_ms=week.until_ms,
    )
    return DiscussionQuestion(text=text, evidence=(evidence,))


def _advice(week: Week, advice: Advice) -> DiscussionQuestion:
    asked = f"Should traffic go back to {advice.go_to}" if advice.go_to else "What replaces it"
    name = quote(advice.leave, safe="")
    evidence = _evidence(
        f"{advice.leave} by version and region",
        href=f"/health/model-versions/{name}?{_time(week)}",
        api=f"{API}/rollback-advice?model={name}&until_ms={week.until_ms}",
        ask="failing_share_by_model_and_region",
        from_ms=week.since_ms,
        until_ms=week.until_ms,
    )
    text = f"{advice.leave} fails beyond the base rate. {asked}?"
    return DiscussionQuestion(text=text, evidence=(evidence,))


def _drift(week: Week, drift: AgentDrift) -> DiscussionQuestion:
    name = quote(drift.agent, safe="")
    evidence = _evidence(
        f"agent {drift.agent}",
        href=f"/health/agents/{name}?{_time(week)}",
        api=f"{API}/drift?until_ms={week.until_ms}&hours={WEEK_HOURS}",
        ask="slowest_modules",
        from_ms=week.since_ms,
        until_ms=week.until_ms,
    )
    text = (
        f"Agent {drift.agent} drifted: {w.shift(drift.response_shift)} in its median time, "
        f"{w.bits(drift.branch_shift)} in the ways it goes. Is that meant?"
    )
    return DiscussionQuestion(text=text, evidence=(evidence,))


def _group(week: Week, group: Group) -> DiscussionQuestion:
    text = (
        f"{len(group.members)} parts about {group.name} began to fail together. Do they depend on "
        "each other as designed?"
    )
    evidence = _evidence(
        "what fails together",
        href=f"/traces?{_time(week)}&failing=true",
        api=f"{API}/traces?{_time(week)}&failing=true",
        ask="failing_together",
        from_ms=week.since_ms,
        until_ms=week.until_ms,
    )
    return DiscussionQuestion(text=text, evidence=(evidence,))


def _risks(week: Week, risks: Sequence[Risk]) -> Iterator[DiscussionQuestion]:
    """Ask about the gravest of each kind."""
    time = {"from_ms": week.since_ms, "until_ms": week.until_ms}
    span = _time(week)
    points = [each for each in risks if each.kind == "single point"]
    if points:
        names = ", ".join(each.name for each in points[:3])
        yield DiscussionQuestion(
            text=f"{names}: nearly all traces pass. What happens to them when one is gone?",
            evidence=(
                _evidence(
                    "what nearly all traces pass",
                    href=f"/health?{span}",
                    api=f"{API}/heatmap?minutes=60",
                    ask="quiet_risks",
                    **time,
                ),
            ),
        )
    for risk in [each for each in risks if each.kind == "busy key"][:1]:
        key = risk.name.partition(" ")[2]
        yield DiscussionQuestion(
            text=f"{key}: {risk.said}. Who may write it, and what checks the value?",
            evidence=(
                _evidence(
                    f"writers and readers of {key}",
                    href=f"/health/kv-keys/{quote(key, safe='')}?{span}",
                    api=f"{API}/kv-keys/{quote(key)}?{span}",
                    ask="key_readers_and_writers",
                    key=key,
                    **time,
                ),
            ),
        )


def _time(week: Week) -> str:
    """Return the query that limits a page, or an answer of the API, to the week."""
    return f"since_ms={week.since_ms}&until_ms={week.until_ms}"


def _of_incidents(ids: Sequence[str]) -> tuple[EvidenceLink, ...]:
    return tuple(
        _evidence(
            each,
            href=f"/incidents/{quote(each, safe='')}",
            api=f"{API}/incidents/{quote(each, safe='')}",
            ask="incident_causes",
            incident_id=each,
        )
        for each in ids[:EACH_MAX]
    )


def _evidence(label: str, *, href: str, api: str, ask: str, **given: Any) -> EvidenceLink:
    asked = question(ask)
    return EvidenceLink(
        label=label,
        href=href,
        api=api,
        question=ask,
        cypher=asked.text,
        parameters=bind(asked, given),
    )


def _symptom(cause: CauseOfWeek) -> str:
    return cause.symptom.replace("_", " ")


def _traces(count: int) -> str:
    return f"{count:,} failing trace{'' if count == 1 else 's'}"
