"""Repairs that run: each step once, kept before and after; what goes wrong turns them back."""

import threading
from dataclasses import replace

import pytest

from graphmind.repair.connector import ConnectorError, OutcomeUnknown, StateChanged
from graphmind.repair.graph_journal import verify_journal
from graphmind.repair.journal import AuditDraft, Outdated, TargetBusy
from graphmind.repair.record import StepState
from graphmind.repair.runner import Runner, intercept
from graphmind.repair.states import NotAllowed, State
from tests.repair.repairs import EXPIRES_MS, Shelf, draft, plan, step
from tests.repair.running import ABC, PATIENCE, Bench, failing, states

DONE = {"a": "new", "b": "new", "c": "new"}
SECRET = "open-sesame-7"


def test_steps_run_in_order_and_each_is_kept_before_and_after(bench: Bench):
    found = bench.run(*ABC)

    assert (found.state, found.executed_ms, found.ended_ms) == (State.VERIFYING, 2_000, None)
    assert states(found) == ["applied"] * 3
    assert bench.shelf.values == DONE
    assert bench.shelf.calls == ["apply:a", "apply:b", "apply:c"]
    assert bench.told() == ["run", *["step_intended", "step_applied"] * 3, "executed"]
    assert bench.journal.get("r1") == found
    assert list(verify_journal(bench.journal)) == []


def test_a_call_is_made_only_after_its_intent_is_kept(bench: Bench):
    seen = []
    bench.shelf.before_apply = lambda call: seen.append(states(bench.journal.get("r1")))
    bench.run(*ABC)

    assert seen == [["intended"], ["applied", "intended"], ["applied", "applied", "intended"]]


def test_the_target_is_held_from_the_run_into_the_verification(bench: Bench):
    held = []
    bench.shelf.before_apply = lambda call: held.append(bench.journal.lease("model_version:m@2"))
    bench.run(step(1, "a"))
    after = bench.journal.lease("model_version:m@2")

    assert after is not None
    assert held[0] is not None
    assert held[0].until_ms == 2_000 + PATIENCE.lease_ms
    assert after.until_ms == 2_000 + PATIENCE.verifying_lease_ms


def test_what_a_step_did_is_in_its_entry(bench: Bench):
    bench.run(step(1, "a"))
    told = bench.entry("step_applied")

    assert told["call"] == {"action": "set", "target": "a", "params": {"value": "new"}}
    assert (told["connector"], told["step"], told["attempt"]) == ("shelf", 1, 1)
    assert told["facts"] == {"id": "set of a"}
    assert told["strategy"] == "switch-model@3"


def test_a_refused_call_is_tried_again_after_the_wait_that_was_asked_for(bench: Bench):
    bench.shelf.before_apply = failing(ConnectorError("500", retry_after_s=4), "a", times=2)
    found = bench.run(step(1, "a"))

    assert found.state is State.VERIFYING
    assert found.steps[0].attempts == 3
    assert bench.slept == [4, 4]
    assert bench.told().count("step_failed") == 2


def test_waits_grow_where_none_is_asked_for(bench: Bench):
    bench.shelf.before_apply = failing(ConnectorError("500"), "a", times=2)
    bench.run(step(1, "a"))

    assert bench.slept == [0.5, 1.0]


def test_a_system_that_asks_for_too_long_a_wait_has_failed(bench: Bench):
    bench.shelf.before_apply = failing(ConnectorError("busy", retry_after_s=3_600), "a")
    found = bench.run(step(1, "a"))

    assert (found.state, found.steps[0].attempts) == (State.FAILED, 1)
    assert max(bench.slept) < 1


def test_a_step_that_fails_undoes_those_before_it_last_first(bench: Bench):
    bench.shelf.before_apply = failing(ConnectorError("500"), "c")
    found = bench.run(*ABC)

    assert (found.state, found.reason) == (State.ROLLED_BACK, "step 3: 500")
    assert states(found) == ["undone", "undone", "failed"]
    assert bench.shelf.calls == ["apply:a", "apply:b", "undo:b", "undo:a"]
    assert bench.told()[-7:] == [
        *("fail", "undo", "step_undoing", "step_undone", "step_undoing", "step_undone", "undone")
    ]
    assert bench.journal.lease("model_version:m@2") is None


def test_a_first_step_that_fails_leaves_nothing_to_undo(bench: Bench):
    bench.shelf.before_apply = failing(ConnectorError("500"), "a")
    found = bench.run(*ABC)

    assert (found.state, bench.shelf.calls) == (State.FAILED, [])
    assert bench.told()[-2:] == ["step_failed", "fail"]
    assert found.ended_ms == bench.now_ms


def test_a_call_without_an_answer_that_took_effect_is_not_made_again(bench: Bench):
    bench.shelf.after_apply = failing(OutcomeUnknown("timed out"), "b")
    found = bench.run(*ABC)

    assert found.state is State.VERIFYING
    assert bench.shelf.calls == ["apply:a", "apply:b", "apply:c"]
    assert [run.attempts for run in found.steps] == [1, 1, 1]
    assert "timed out; the state is the one wanted" in found.steps[1].detail


def test_a_call_without_an_answer_that_took_no_effect_is_made_again(bench: Bench):
    bench.shelf.before_apply = failing(OutcomeUnknown("timed out"), "b", times=1)
    found = bench.run(*ABC)

    assert (found.state, found.steps[1].attempts) == (State.VERIFYING, 2)
    assert bench.shelf.calls.count("apply:b") == 1


def test_an_effect_that_comes_late_is_waited_for(bench: Bench):
    looks = [0]

    def late(call) -> None:
        looks[0] += 1
        if looks[0] == 4:  # one look before the first step, then two too early
            bench.shelf.values["a"] = "new"

    bench.shelf.before_apply = failing(OutcomeUnknown("timed out"), "a")
    bench.shelf.before_verify = late
    found = bench.run(step(1, "a"))

    assert (found.state, found.steps[0].attempts) == (State.VERIFYING, 1)


def test_a_call_that_comes_through_after_all_attempts_is_undone_too(bench: Bench):
    def late(call) -> None:
        if "step_failed" in bench.told() and "step_applied_late" not in bench.told():
            bench.shelf.values["b"] = "new"

    bench.shelf.before_apply = failing(ConnectorError("500", retry_after_s=99), "b")
    bench.shelf.before_verify = late
    found = bench.run(*ABC)

    assert found.state is State.ROLLED_BACK
    assert "step_applied_late" in bench.told()
    assert bench.shelf.values == {"a": "old", "b": "old"}


def test_a_system_that_says_done_and_did_nothing_is_found_out(bench: Bench):
    bench.shelf.after_apply = lambda call: (
        bench.shelf.values.update(b="old") if call.target == "b" else None
    )
    found = bench.run(*ABC)

    assert found.state is State.ROLLED_BACK
    assert bench.told().count("step_failed") == PATIENCE.attempts_max
    assert "the system said: set; the state is the one before" in found.reason
    assert bench.shelf.values == {"a": "old", "b": "old"}


def test_an_effect_that_somebody_else_overwrote_is_left_alone(bench: Bench):
    bench.shelf.after_apply = lambda call: (
        bench.shelf.values.update(b="theirs") if call.target == "b" else None
    )
    found = bench.run(*ABC)

    assert found.state is State.ROLLED_BACK
    assert "step_changed" in bench.told()
    assert bench.shelf.values == {"a": "old", "b": "theirs"}


@pytest.mark.parametrize("target", ["a", "c"])
def test_a_world_that_changed_since_the_plan_stops_the_run_before_anything_is_done(
    bench: Bench, target
):
    bench.shelf.values[target] = "theirs"
    found = bench.run(*ABC)

    assert (found.state, found.steps, found.started_ms) == (State.PROPOSED, (), None)
    assert f"the state of {target} is neither the one before nor" in found.reason
    assert bench.told() == ["run", "replan"]
    assert bench.journal.lease("model_version:m@2") is None


def test_a_world_that_is_already_as_wanted_was_changed_too(bench: Bench):
    bench.shelf.values["a"] = "new"

    assert bench.run(*ABC).state is State.PROPOSED
    assert bench.shelf.calls == []


def test_a_world_that_changes_at_the_first_call_is_planned_anew(bench: Bench):
    bench.shelf.before_apply = failing(StateChanged("not what it was"), "a")
    found = bench.run(*ABC)

    assert (found.state, found.steps) == (State.PROPOSED, ())
    assert bench.told() == ["run", "step_intended", "step_changed", "replan"]


def test_a_world_that_changes_after_the_first_step_undoes_what_was_done(bench: Bench):
    bench.shelf.before_apply = failing(StateChanged("not what it was"), "b")
    found = bench.run(*ABC)

    assert found.state is State.ROLLED_BACK
    assert bench.shelf.calls == ["apply:a", "undo:a"]


def test_steps_on_one_target_are_not_held_against_what_the_first_one_leaves(bench: Bench):
    again = replace(
        step(2, "a"), before={"value": "new"}, call=replace(ABC[0].call, params={"value": "newer"})
    )

    assert bench.run(step(1, "a"), again).state is State.VERIFYING
    assert bench.shelf.values == {"a": "newer"}


def test_a_bug_of_a_connector_is_settled_by_looking_and_its_text_is_not_kept(bench: Bench):
    bench.shelf.after_apply = failing(KeyError(SECRET), "a")
    bench.shelf.before_apply = failing(KeyError(SECRET), "b")
    found = bench.run(*ABC)

    assert found.state is State.ROLLED_BACK
    assert bench.shelf.calls == ["apply:a", "undo:a"]
    assert "broke with KeyError" in found.reason
    assert SECRET not in repr(bench.journal.entries()) + repr(found)


def test_what_nobody_can_tell_is_left_running_and_settled_later(bench: Bench):
    def cut(call) -> None:
        raise OutcomeUnknown("cut off")

    def fail(call) -> None:
        if call.target == "b":
            bench.shelf.before_verify = cut
            raise OutcomeUnknown("timed out")

    bench.shelf.after_apply = fail
    left = bench.run(*ABC)

    assert left.state is State.RUNNING
    assert states(left) == ["applied", "intended"]
    assert left.reason == "timed out; it cannot be looked at: cut off"
    assert bench.told()[-1] == "unsettled"
    bench.shelf.before_verify, bench.shelf.after_apply = (lambda call: None), (lambda call: None)
    assert [one.state for one in bench.recovered()] == [State.VERIFYING]
    assert bench.shelf.calls == ["apply:a", "apply:b", "apply:c"]


def test_a_person_intercepts_between_steps(bench: Bench):
    bench.shelf.after_apply = lambda call: (
        intercept(bench.journal, "r1", who="ann", reason="too busy", at_ms=2_000)
        if call.target == "b"
        else None
    )
    found = bench.run(*ABC)

    assert (found.state, found.reason) == (State.ROLLED_BACK, "intercepted by ann: too busy")
    assert bench.shelf.calls == ["apply:a", "apply:b", "undo:b", "undo:a"]
    assert [what for what in bench.told() if what in ("ask_intercept", "intercept", "undo")] == [
        *("ask_intercept", "intercept", "undo")
    ]


def test_the_stop_switch_ends_a_run_between_steps(bench: Bench):
    def stop(call) -> None:
        value = {"on": True, "by": "ann", "why": "change freeze"}
        bench.journal.set("stop", value, AuditDraft(who="ann", what="stop", at_ms=1))

    bench.shelf.after_apply = stop
    found = bench.run(*ABC)

    assert (found.state, found.reason) == (
        State.ROLLED_BACK,
        "all repairs are stopped: change freeze",
    )
    assert bench.shelf.calls == ["apply:a", "undo:a"]


def test_nothing_is_started_while_all_is_stopped(bench: Bench):
    bench.journal.set("stop", {"on": True}, AuditDraft(who="ann", what="stop", at_ms=1))
    approved = bench.approved(*ABC)

    with pytest.raises(NotAllowed, match="release the stop first"):
        bench.runner().run("r1", who="runner")
    assert bench.journal.get("r1") == approved


def test_an_old_interception_does_not_end_a_later_run(bench: Bench):
    bench.approved(*ABC)
    old = {"who": "ann", "reason": "then", "started_ms": 1}
    bench.journal.set("intercept:r1", old, AuditDraft(who="ann", what="x", at_ms=1))

    assert bench.runner().run("r1", who="runner").state is State.VERIFYING


def test_what_does_not_run_is_not_intercepted(bench: Bench):
    bench.approved(*ABC)

    with pytest.raises(NotAllowed, match="is approved takes no intercept"):
        intercept(bench.journal, "r1", who="ann", reason="", at_ms=1)


def test_a_plan_that_is_too_old_expires(bench: Bench):
    bench.now_ms = EXPIRES_MS
    found = bench.run(*ABC)

    assert (found.state, bench.shelf.calls) == (State.EXPIRED, [])


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"mode": "dry_run"}, "is a dry run"),
        ({"plan": plan(step(1, "z"))}, "the plan was made anew since"),
        ({"approvals": ()}, "No approval"),
        ({"state": State.PLANNED}, "is planned takes no run"),
    ],
)
def test_what_may_not_run_is_refused_and_left_as_it_is(bench: Bench, changed, reason):
    approved = bench.approved(*ABC)
    other = super(type(bench.journal), bench.journal).change(
        replace(approved, **changed), draft(approved, "note")
    )

    with pytest.raises(NotAllowed, match=reason):
        bench.runner().run("r1", who="runner")
    assert bench.journal.get("r1") == other


def test_a_connector_that_is_missing_or_only_plans_fails_the_repair_before_anything_is_done(
    bench: Bench,
):
    found = bench.run(step(1, "a"), step(2, "b", connector="gone"))
    assert (found.state, bench.shelf.calls) == (State.FAILED, [])
    assert found.reason == "step 2 needs the connector 'gone'; configured: shelf"

    bench.shelf.live = False
    found = bench.run(step(1, "a"), name="r2")
    assert "set `live: true`" in found.reason


def test_two_repairs_on_one_target_never_run_together(bench: Bench):
    at_work = threading.Event()
    overlaps, busy, inside = [], [], threading.Semaphore(1)

    def slow(call) -> None:
        overlaps.append(not inside.acquire(blocking=False))
        at_work.wait(0.05)
        inside.release()

    bench.shelf.before_apply = slow
    for n in range(6):
        bench.approved(step(1, f"k{n}"), name=f"r{n}")

    def start(name: str) -> None:
        try:
            bench.runner().run(name, who=name)
        except TargetBusy:
            busy.append(name)

    threads = [threading.Thread(target=start, args=(f"r{n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert overlaps == [False]
    assert len(busy) == 5
    verifying = [r.repair_id for r in bench.journal.repairs(states=["verifying"])]
    assert {*verifying, *busy} == {f"r{n}" for n in range(6)}


def test_a_repair_that_is_run_twice_at_once_runs_once(bench: Bench):
    bench.approved(*ABC)
    ends: list[object] = []

    def start() -> None:
        try:
            ends.append(bench.runner().run("r1", who="x").state)
        except (Outdated, NotAllowed) as error:
            ends.append(type(error))

    threads = [threading.Thread(target=start) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert ends.count(State.VERIFYING) == 1
    assert bench.shelf.calls == ["apply:a", "apply:b", "apply:c"]


def test_a_runner_whose_repair_was_taken_over_stops(bench: Bench):
    """The runner was silent past its lease: another settled the step and went on."""
    taken: list[State] = []

    def take_over(call) -> None:
        if call.target == "b" and not taken:
            taken.append(bench.runner().resume("r1", who="other").state)

    bench.shelf.after_apply = take_over
    found = bench.run(*ABC)

    assert taken == [State.VERIFYING]
    assert found.state is State.VERIFYING
    assert bench.shelf.calls == ["apply:a", "apply:b", "apply:c"]


def test_only_what_is_under_way_is_resumed(bench: Bench):
    bench.approved(*ABC)

    with pytest.raises(NotAllowed, match="is approved: only one under way"):
        bench.runner().resume("r1", who="x")


def test_patience_has_a_default(bench: Bench):
    runner = Runner(bench.journal, {"shelf": Shelf()}, now_ms=lambda: 2_000, sleep=lambda _: None)
    bench.approved(step(1, "a"))

    assert runner.run("r1", who="x").steps[0].state is StepState.APPLIED
