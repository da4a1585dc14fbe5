from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphmind.incidents.incident import Item
from graphmind.repair.guards import Objection
from graphmind.repair.model import LEVELS, Call
from graphmind.repair.policy import (
    Case,
    Policy,
    approved,
    decide,
    evidence_gaps,
    level_of,
    missing,
    people_needed,
    target_of,
)
from graphmind.repair.record import Approval
from tests.incidents.windows import incident
from tests.repair.levers import strategy
from tests.repair.repairs import IMPACT, repair
from tests.repair.repairs import plan as plan_of
from tests.repair.repairs import step as step_of

POLICY = Policy()
SURE = Case(strategy=strategy(), confidence=0.95)
SMALL = replace(IMPACT, traces=20, share=0.05)


def plan(level="agent", *, action="degrade", has_undo=True, impact=SMALL, **changes):
    step = replace(
        step_of(1, "planner", has_undo=has_undo),
        level=level,
        call=Call(action=action, target="planner"),
    )
    return replace(plan_of(step), impact=replace(impact, **changes))


def outcome(judged, case=SURE, policy=POLICY):
    decision = decide(judged, case, policy)
    return decision.outcome, decision.approvers


@pytest.mark.parametrize(
    ("level", "share", "expected"),
    [
        ("trace", 0.05, ("by itself", 0)),
        ("trace", 0.3, ("by itself", 0)),
        ("key", 0.05, ("by itself", 0)),
        ("agent", 0.0999, ("by itself", 0)),
        ("agent", 0.1, ("approval", 1)),
        ("key", 0.1, ("approval", 1)),
        ("model", 0.01, ("approval", 2)),
        ("region", 0.01, ("approval", 2)),
        ("trace", 0.5, ("approval", 2)),
        ("agent", 0.6, ("approval", 2)),
    ],
)
def test_level_and_share_of_the_traffic_say_who_must_approve(level, share, expected):
    assert outcome(plan(level, share=share)) == expected


def test_many_traces_need_a_person_at_any_level():
    assert outcome(plan("trace", traces=1_001)) == ("approval", 1)


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        (replace(SURE, confidence=0.89), "confidence 0.89 is below 0.90"),
        (replace(SURE, gaps=("no cause is named",)), "no cause is named"),
        (replace(SURE, barred="it worked only 0 of 4 times"), "it worked only 0 of 4 times"),
        (
            replace(SURE, objections=(Objection(guard="q", reason="quiet", stops="automatic"),)),
            "quiet",
        ),
        (replace(SURE, strategy=strategy(approval={"approvers": 3})), "needs 3 different people"),
    ],
)
def test_what_keeps_a_plan_from_running_by_itself_is_said(case, reason):
    decision = decide(plan(), case, POLICY)

    assert decision.outcome == "approval"
    assert decision.approvers == max(1, case.strategy.approval.approvers)
    assert reason in " ".join(decision.reasons)


@pytest.mark.parametrize(
    ("judged", "reason"),
    [
        (plan(action="switch_model_version", has_undo=False), "has no inverse"),
        (plan(context_lost=("checkout",)), "work is lost of checkout"),
        (plan(traces=0), "what it hits is not known"),
    ],
)
def test_a_plan_that_cannot_be_taken_back_or_whose_reach_is_unknown_needs_a_person(judged, reason):
    decision = decide(judged, SURE, POLICY)

    assert (decision.outcome, decision.approvers) == ("approval", 1)
    assert reason in decision.reasons[0]


def test_what_leaves_nothing_to_undo_may_run_by_itself():
    assert outcome(plan(action="restart", has_undo=False)) == ("by itself", 0)


def test_a_policy_that_lets_nothing_run_by_itself():
    assert outcome(plan(), policy=Policy(automatic=False)) == ("approval", 1)


def test_what_a_guard_stops_no_approval_helps():
    stop = Objection(guard="stop", reason="all repair is stopped by ann", stops="everything")

    decision = decide(plan(), replace(SURE, objections=(stop,)), POLICY)

    assert (decision.outcome, decision.reasons) == ("refused", ("all repair is stopped by ann",))
    assert outcome(plan_of()) == ("refused", 0)


STANDING = replace(
    SURE, strategy=strategy(approval={"standing": True}), approved_by=("ann", "bob", "ann")
)


def test_two_who_approved_a_strategy_approved_its_plans_where_the_policy_allows_it():
    allowing = Policy(standing=True)
    model = plan("model")

    assert outcome(model, STANDING) == ("approval", 2)
    assert outcome(model, STANDING, allowing) == ("by itself", 0)
    assert outcome(plan("model", context_lost=("a",)), STANDING, allowing) == ("by itself", 0)
    assert outcome(model, replace(STANDING, approved_by=("ann", "ann")), allowing)[1] == 2
    assert outcome(model, replace(STANDING, confidence=0.5), allowing) == ("approval", 2)
    radius = Objection(guard="blast_radius", reason="too wide", stops="automatic")
    assert outcome(model, replace(STANDING, objections=(radius,)), allowing) == ("approval", 2)
    assert outcome(model, replace(STANDING, strategy=strategy()), allowing) == ("approval", 2)


def test_steps_that_only_record_do_not_raise_the_level():
    note = replace(step_of(2, "c"), level="region", call=Call(action="notify", target="c"))
    acting = plan("agent").steps[0]

    assert level_of(plan_of(acting, note)) == "agent"
    assert target_of(plan_of(note, acting)) == "agent:planner"
    assert level_of(plan_of(note)) == "trace"
    assert target_of(plan_of(note)) == "trace:c"


def approval(who, plan_hash, *, role="approver", yes=True, at_ms=1):
    return Approval(who=who, role=role, approved=yes, at_ms=at_ms, plan_hash=plan_hash)


def given_to(judged, *approvals, **changes):
    """A repair that ``cat`` asked for, with approvals of its plan, or of another for ``!``."""
    hashed = judged.plan_hash
    return replace(
        repair("r1", requested_by="cat"),
        plan=judged,
        approvals=tuple(
            approval(who.strip("!"), "another plan" if who.endswith("!") else hashed, **changes)
            for who in approvals
        ),
    )


@pytest.mark.parametrize(
    ("level", "who", "expected"),
    [
        ("agent", [], False),
        ("agent", ["ann"], True),
        ("agent", ["cat"], False),
        ("agent", ["ann!"], False),
        ("model", ["ann"], False),
        ("model", ["ann", "ann"], False),
        ("model", ["ann", "cat"], True),
        ("model", ["ann", "bob"], True),
        ("model", ["ann", "bob!"], False),
        ("region", ["cat", "cat"], False),
    ],
)
def test_different_people_must_approve_this_very_plan(level, who, expected):
    found = given_to(plan(level), *who)

    assert approved(found, POLICY) is expected
    assert bool(missing(found, POLICY)) is not expected


def test_only_who_may_approve_counts_and_the_policy_alone():
    assert not approved(given_to(plan("model"), "ann", "bob", role="responder"), POLICY)
    assert approved(given_to(plan("model"), "policy", role="policy"), POLICY)
    assert not approved(given_to(plan("model"), "policy!", role="policy"), POLICY)


def test_a_rejection_undoes_approvals_until_it_is_taken_back():
    judged = plan("agent")
    no = approval("bob", judged.plan_hash, yes=False, at_ms=2)
    rejected = replace(given_to(judged, "ann"), approvals=(approval("ann", judged.plan_hash), no))
    yes = approval("bob", judged.plan_hash, at_ms=3)

    assert not approved(rejected, POLICY)
    assert missing(rejected, POLICY) == "bob rejected it"
    assert approved(replace(rejected, approvals=(*rejected.approvals, yes)), POLICY)


def test_what_is_missing_is_said():
    assert missing(given_to(plan("model"), "cat", "ann!"), POLICY) == (
        "needs 2 different people, not the one who asked alone: cat approved, who asked for it; "
        "1 decisions were on an earlier plan"
    )
    assert not approved(given_to(plan("agent"), "ann"), POLICY, at_least=2)
    assert missing(repair("r1"), POLICY) == "there is no plan yet"


def test_gaps_of_the_evidence():
    good = incident(("model_version", "m@3"), unexplained_share=0.0)
    tied = replace(
        good.causes[0], tied=((Item(kind="region", name="eu"),), (Item(kind="agent", name="a"),))
    )
    same = replace(good.causes[0], tied=((Item(kind="model_requested", name="m"),),))
    weak = replace(good.causes[0], failed_with=4.0, risk_ratio_low=1.5)

    assert evidence_gaps(good.document()) == ()
    assert evidence_gaps(replace(good, causes=(same,)).document()) == ()
    assert len(evidence_gaps(replace(good, causes=(tied,)).document())) == 2
    assert len(evidence_gaps(replace(good, causes=(weak,), unexplained_share=0.6).document())) == 3
    assert evidence_gaps(incident().document()) == ("no cause is named",)


SIZES = st.tuples(st.integers(1, 10_000), st.floats(0, 1), st.sampled_from(LEVELS))
RANK = {"by itself": 0, "approval": 1, "refused": 2}


@given(SIZES, SIZES)
def test_a_larger_blast_radius_never_needs_fewer_people(one, other):
    (traces, share, level), (more, wider, higher) = one, other
    small = plan(level, traces=min(traces, more), share=min(share, wider))
    large = plan(
        max(level, higher, key=LEVELS.index), traces=max(traces, more), share=max(share, wider)
    )
    less, needs = decide(small, SURE, POLICY), decide(large, SURE, POLICY)

    assert (RANK[less.outcome], less.approvers) <= (RANK[needs.outcome], needs.approvers)


@given(SIZES, st.lists(st.sampled_from(["ann", "bob", "cat"]), max_size=4))
def test_one_more_approval_never_makes_a_plan_less_approved(size, who):
    traces, share, level = size
    judged = plan(level, traces=traces, share=share)

    for count in range(len(who)):
        assert approved(given_to(judged, *who[: count + 1]), POLICY) >= approved(
            given_to(judged, *who[:count]), POLICY
        )


@given(SIZES)
def test_a_plan_is_approved_by_as_many_people_as_it_needs(size):
    traces, share, level = size
    judged = plan(level, traces=traces, share=share)
    enough = ["ann", "bob", "dan"][: max(1, people_needed(judged, POLICY))]

    assert approved(given_to(judged, *enough), POLICY)
    assert not approved(given_to(judged, *enough[1:]), POLICY)
