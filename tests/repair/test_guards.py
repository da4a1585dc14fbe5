from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphmind.repair.guards import (
    HOUR_MS,
    Limits,
    Maintenance,
    QuietHours,
    Scene,
    commands_of,
    objections,
)
from graphmind.repair.model import Call
from graphmind.repair.record import StepRun, StepState
from tests.repair.levers import strategy
from tests.repair.repairs import plan, repair, step

NOW_MS = 10 * HOUR_MS
HOLDING = replace(plan(step(1, "planner")), expires_ms=NOW_MS + 1)
SCENE = Scene(now_ms=NOW_MS, repair=repair("own"), strategy=strategy())


def done(name, ago_ms, *targets, **changes):
    """A repair that set targets some time ago."""
    at_ms = NOW_MS - ago_ms
    found = repair(
        name, *(step(n, target) for n, target in enumerate(targets, 1)), incident_id="other"
    )
    runs = tuple(
        StepRun(number=n, state=StepState.APPLIED, attempts=1, started_ms=at_ms)
        for n in range(1, len(targets) + 1)
    )
    return replace(found, steps=runs, started_ms=at_ms, **changes)


def said(limits=Limits(), against=HOLDING, **changes):  # noqa: B008 - frozen
    return [
        (each.guard, each.stops, each.reason)
        for each in objections(against, replace(SCENE, **changes), limits)
    ]


def test_nothing_speaks_against_a_plan_on_a_quiet_day():
    assert said() == []


def test_the_global_stop_stops_everything():
    stop = {"on": True, "by": "ann", "why": "migration"}

    assert said(stop=stop) == [("stop", "everything", "all repair is stopped by ann: migration")]
    assert said(stop={"on": False, "by": "ann"}) == []


@pytest.mark.parametrize(
    "name", ["incident:i1", "cluster:c1", "strategy:switch_back", "target:model_version:m@2"]
)
def test_what_is_suppressed_does_not_run(name):
    reason = f"{name} is suppressed by ann: known"

    assert said(suppressed={name: {"by": "ann", "why": "known"}}) == [
        ("suppressed", "everything", reason)
    ]
    assert said(suppressed={name: {"until_ms": NOW_MS}}) == []
    assert said(suppressed={f"{name}x": {"by": "ann"}}) == []


def test_a_plan_that_ran_out_is_made_anew():
    late = replace(HOLDING, expires_ms=NOW_MS - 5_000)

    assert said(against=late) == [("ttl", "everything", "the plan ran out 5 s ago: make it anew")]


def test_a_strategy_has_only_so_many_attempts_at_an_incident():
    tried = [done(f"r{n}", 5 * HOUR_MS, "x", strategy=f"switch_back@{n}") for n in range(2)]
    own = [replace(each, incident_id="i1") for each in tried]

    assert said(past=tried) == []
    assert said(past=own[:1]) == []
    assert said(past=[replace(own[0], mode="dry_run"), own[1]]) == []
    ((guard, stops, reason),) = said(past=own)
    assert (guard, stops) == ("attempts", "everything")
    assert reason.startswith("switch_back was tried 2 times on this incident, and at most 2 are")


def test_the_budget_of_an_hour_counts_what_ran_by_itself():
    ran = [done(f"r{n}", n * 60_000, f"x{n}") for n in range(10)]
    long_ago = done("old", HOUR_MS, "x")

    assert said(past=ran[1:]) == []
    assert said(past=[*ran[1:], long_ago, done("p", 0, "y", operator="human")]) == []
    assert said(past=[*ran[1:], replace(SCENE.repair, started_ms=NOW_MS)]) == []
    assert [guard for guard, *_ in said(past=ran)] == ["budget"]


def test_the_third_time_in_an_hour_is_a_storm_and_alerts():
    again = [done(f"r{n}", n * 1_000, "planner", operator="human") for n in range(3)]

    (objection,) = objections(HOLDING, replace(SCENE, past=again), Limits())

    assert (objection.guard, objection.stops, objection.alerts) == ("storm", "automatic", True)
    assert objection.reason == ("set planner was done 3 times within an hour: it does not help")
    assert said(past=again[:2]) == []
    assert said(past=[*again[:2], done("o", 1_000, "drafter")]) == []
    assert said(past=[*again[:2], done("o", HOUR_MS, "planner")]) == []


def test_what_is_only_recorded_is_no_storm():
    noted = replace(step(1, "c"), call=Call(action="log_recovery", target="c"))
    past = [replace(done(f"r{n}", n, "c"), plan=plan(noted)) for n in range(5)]

    assert len(commands_of(past)) == 5
    assert said(past=past, against=replace(HOLDING, steps=(noted,))) == []


def test_a_blast_radius_over_the_cap_is_for_people():
    wide = replace(HOLDING, impact=replace(HOLDING.impact, share=0.51, traces=5_001))

    assert [(guard, stops) for guard, stops, _ in said(against=wide)] == [
        ("blast_radius", "automatic"),
        ("blast_radius", "automatic"),
    ]


def test_what_people_work_on_is_left_to_them():
    window = Maintenance(from_ms=NOW_MS, until_ms=NOW_MS + 1, targets=("plan*",), reason="upgrade")
    reason = "planner is in maintenance: upgrade"

    assert said(Limits(maintenance=(window,))) == [("maintenance", "automatic", reason)]
    assert said(Limits(maintenance=(replace(window, until_ms=NOW_MS),))) == []
    assert said(Limits(maintenance=(replace(window, targets=("other",)),))) == []


@pytest.mark.parametrize(
    ("from_hour", "until_hour", "quiet"),
    [
        (9, 11, True),
        (10, 11, True),
        (9, 10, False),
        (22, 11, True),
        (22, 6, False),
        (10, 10, False),
    ],
)
def test_quiet_hours_may_span_midnight(from_hour, until_hour, quiet):
    hours = QuietHours(from_minute=from_hour * 60, until_minute=until_hour * 60)

    assert bool(said(Limits(quiet=(hours,)))) is quiet


def test_every_objection_says_why():
    hours = QuietHours(from_minute=540, until_minute=660)

    assert said(Limits(quiet=(hours,)))[0][2] == "quiet hours from 09:00 to 11:00 UTC"


@given(st.lists(st.integers(0, 2 * HOUR_MS), max_size=14), st.integers(0, 13))
def test_a_tighter_budget_never_lets_more_through(ages, limit):
    past = [done(f"r{n}", age, f"x{n}") for n, age in enumerate(ages)]
    tight, wide = Limits(commands_an_hour=limit), Limits(commands_an_hour=limit + 1)

    assert len(said(tight, past=past)) >= len(said(wide, past=past))
