from dataclasses import replace

import pytest

from graphmind.demo.outcome import Moments, Outcome, Progress, Truth, is_back
from graphmind.demo.targets import targets_of
from graphmind.demo.watching import Named
from tests.demo.test_watching import repair

DRAIN = Truth(causes=("region:eu",), also=("agent", "service:x"), level="region", repairs=1)
NOTHING = Truth(causes=(), also=(), level="", repairs=0)
HEALTHY = {"tasks": 100, "p95_s": 1.0, "failure_rate": 0.005, "callback_rate": 0.99}
SICK = {"tasks": 100, "p95_s": 9.0, "failure_rate": 0.5, "callback_rate": 0.5}
MOMENTS = Moments(
    injected=0,
    first_failing=1_000,
    opened=9_000,
    executed=15_000,
    recovering=30_000,
    verdict=99_000,
)


def outcome(*, repairs, truth=DRAIN, named=(), after=HEALTHY, refusals=(), moments=MOMENTS):
    return Outcome(
        fault="region-loss",
        seed=3,
        truth=truth,
        repairs=repairs,
        named=named,
        moments=moments,
        healthy=HEALTHY,
        before=SICK,
        after=after,
        refusals=refusals,
        traces_when_named=20,
    )


def ran(verdict="effective", **more):
    return repair("succeeded", started_ms=1, executed_ms=15_000, verdict=verdict, **more)


def test_the_document_is_what_the_command_promises():
    named = [
        Named(incident_id="inc-1", cause="agent:a", confidence=0.5, at_ms=1),
        Named(incident_id="inc-1", cause="region:eu", confidence=0.97, at_ms=2),
    ]
    figures = {"p95_s": 9.0, "failure_rate": 0.5, "callback_rate": 0.5}
    healthy = {name: HEALTHY[name] for name in figures}

    assert outcome(repairs=[ran()], named=named).document() == {
        "fault": "region-loss",
        "seed": 3,
        "cause_named_first": "region:eu",
        "confidence": 0.97,
        "level": "region",
        "seconds": {
            "first_failing_to_incident": 8.0,
            "incident_to_executed": 6.0,
            "executed_to_verdict": 84.0,
            "total": 98.0,
        },
        "before": {**figures, "healthy": healthy},
        "after": {**healthy, "healthy": healthy},
        "verdict": "effective",
    }


def test_a_cure_that_harms_is_good_once_it_was_undone():
    truth = replace(DRAIN, harms=True)
    undone = repair("rolled_back", started_ms=1, executed_ms=15_000, verdict="harmful")
    stuck = repair("harmful", started_ms=1, executed_ms=15_000, verdict="harmful")

    def is_done(*repairs):
        progress = Progress(truth=truth)
        progress.look(repairs)
        return progress.is_done

    assert outcome(repairs=[undone], truth=truth).is_good
    assert not outcome(repairs=[stuck], truth=truth).is_good
    assert not outcome(repairs=[ran()], truth=truth).is_good
    assert not outcome(repairs=[undone]).is_good
    assert (is_done(undone), is_done(stuck), is_done(ran())) == (True, False, False)


@pytest.mark.parametrize(
    ("cause", "right"),
    [
        ("region:eu", True),
        ("agent:anything", True),
        ("service:x", True),
        ("service:y", False),
        ("model_version:m@3 + region:eu", False),
    ],
)
def test_only_what_is_to_blame_may_be_repaired(cause, right):
    made = outcome(repairs=[ran(root_cause=cause)])

    assert made.is_good is right
    assert made.wrong == ([] if right else [cause])


def test_parts_of_a_conjunction_may_come_in_any_order():
    truth = Truth.of(
        {
            "causes": [["region:us", "model:a"]],
            "also": [],
            "level": "model",
            "harms": False,
            "actions": ["x"],
        }
    )

    assert truth.is_right("model:a + region:us")
    assert truth.is_right("region:us + model:a")


def test_where_nothing_is_to_be_repaired_a_repair_is_bad_whatever_its_verdict():
    quiet = outcome(repairs=[], truth=NOTHING, refusals=["no automatic repair: nothing"])

    assert (quiet.is_good, quiet.verdict, quiet.level) == (True, "no automatic repair", None)
    assert outcome(repairs=[], truth=NOTHING).verdict == "nothing to repair"
    assert outcome(repairs=[]).verdict == "not repaired"
    assert not outcome(repairs=[ran()], truth=NOTHING).is_good
    assert [each.met for each in targets_of(quiet)] == [True]


def test_figures_are_back_within_a_tenth():
    near = HEALTHY | {"p95_s": 1.09, "failure_rate": 0.014, "callback_rate": 0.9}

    assert all(is_back(outcome(repairs=[ran()], after=near)).values())
    assert not any(is_back(outcome(repairs=[ran()], after=SICK)).values())
    assert set(is_back(outcome(repairs=[], after={})).values()) == {None}


def test_targets_are_met_by_what_was_measured():
    named = [Named(incident_id="inc-1", cause="region:eu", confidence=0.97, at_ms=2)]
    good = targets_of(outcome(repairs=[ran()], named=named))
    late = targets_of(
        outcome(
            repairs=[ran()], named=named, moments=Moments(injected=0, opened=1, executed=99_999)
        )
    )

    assert all(each.met for each in good)
    assert [each.what for each in late if not each.met] == [
        "incident to executed",
        "incident to recovering",
        "executed to verdict",
    ]


def test_two_causes_take_two_repairs_that_worked_and_earlier_ones_do_not_count():
    both = Truth(causes=("region:eu", "kv_key:k"), also=(), level="region", repairs=2)
    progress = Progress(truth=both, known=frozenset({"rep-0"}))

    progress.look([ran(repair_id="rep-0"), ran(), repair("verifying", started_ms=1)])
    assert not progress.is_done
    progress.look([ran(), ran(repair_id="rep-2"), repair("cancelled")])
    assert progress.is_done
