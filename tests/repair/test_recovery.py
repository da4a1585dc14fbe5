"""A runner ends at any point and in any trouble: what stands after the recovery is whole."""

from dataclasses import replace
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graphmind.repair.audit import drafted
from graphmind.repair.connector import ConnectorError, OutcomeUnknown
from graphmind.repair.graph_journal import verify_journal
from graphmind.repair.record import Repair
from graphmind.repair.states import Event, State, after
from tests.repair.repairs import Shelf, repair, step
from tests.repair.running import PATIENCE, Bench, Killed, Watched

FOUR = tuple(step(number, target) for number, target in enumerate("abcd", 1))
POINTS_MAX = 200
HALF_DONE = (State.RUNNING, State.ROLLING_BACK)


def ending(bench: Bench, point: int) -> None:
    """End the runner at the point of that number: a transaction, or a call, before or after."""
    passed = count(1)

    def at(_) -> None:
        if next(passed) == point:
            raise Killed

    bench.journal.at = at
    shelf = bench.shelf
    shelf.before_apply = shelf.after_apply = shelf.before_undo = shelf.after_undo = at


def restarted(bench: Bench) -> Bench:
    """The process again: the same graph and the same world, nothing else."""
    shelf = Shelf(values=bench.shelf.values, calls=bench.shelf.calls, known=bench.shelf.known)
    return Bench(Watched(bench.journal._graph), shelf, now_ms=bench.now_ms)


def assert_whole(bench: Bench, found: Repair) -> None:
    """Each step took effect exactly once, or all of them are undone."""
    calls = bench.shelf.calls
    if found.state is State.VERIFYING:
        assert calls == [f"apply:{step.call.target}" for step in FOUR]
    else:
        assert found.state in (State.ROLLED_BACK, State.FAILED, State.APPROVED, State.PROPOSED)
        assert set(bench.shelf.values.values()) <= {"old"}
        assert calls.count("apply:a") == calls.count("undo:a")
    assert len(calls) == len(set(calls))
    assert list(verify_journal(bench.journal)) == []


def killed_at(bench: Bench, point: int, *, fails_at: str = "") -> bool:
    """Run four steps, end at a point; return whether it was reached."""
    bench.approved(*FOUR)
    ending(bench, point)
    at = bench.shelf.before_apply

    def refuse(call) -> None:
        at(call)
        if call.target == fails_at:
            raise ConnectorError("500", retry_after_s=3_600)

    bench.shelf.before_apply = refuse
    try:
        bench.runner().run("r1", who="runner")
    except Killed:
        return True
    return False


@pytest.mark.slow
@pytest.mark.parametrize("point", range(1, 28))
def test_a_run_that_ends_anywhere_is_finished_and_each_step_done_once(bench: Bench, point):
    was_reached = killed_at(bench, point)
    again = restarted(bench)
    again.recovered()

    # Two transactions' ends a step and two ends of its call, and those of the run itself.
    assert was_reached == (point <= 2 + 4 * 6)
    found = again.journal.get("r1")
    assert found.state is (State.APPROVED if point == 1 else State.VERIFYING)
    assert_whole(again, found)


@pytest.mark.slow
@pytest.mark.parametrize("point", range(1, 49))
def test_a_roll_back_that_ends_anywhere_is_finished(bench: Bench, point):
    was_reached = killed_at(bench, point, fails_at="d")
    again = restarted(bench)
    again.shelf.before_apply = refuse_d
    again.recovered()

    # Three steps, a fourth that is refused, three undone, and the changes of state.
    assert was_reached == (point <= 2 + 3 * 6 + 5 + 2 + 3 * 6 + 2)
    found = again.journal.get("r1")
    assert found.state is (State.APPROVED if point == 1 else State.ROLLED_BACK)
    assert_whole(again, found)


def refuse_d(call) -> None:
    if call.target == "d":
        raise ConnectorError("500", retry_after_s=3_600)


def test_a_runner_that_ends_again_and_again_comes_to_an_end(bench: Bench):
    killed_at(bench, 3)
    for _ in range(POINTS_MAX):
        bench = restarted(bench)
        ending(bench, 5)
        try:
            bench.recovered()
        except Killed:
            continue
        break

    found = bench.journal.get("r1")
    assert found.state in (State.VERIFYING, State.ROLLED_BACK, State.FAILED)
    assert_whole(bench, found)


def test_a_repair_whose_runner_may_live_is_left_until_its_lease_runs_out(bench: Bench):
    killed_at(bench, 8)
    again = restarted(bench)

    assert again.recovered(alone=False) == []
    again.now_ms += PATIENCE.lease_ms
    assert [one.state for one in again.recovered(alone=False)] == [State.VERIFYING]
    assert again.recovered(alone=False) == []


def test_a_harmful_verdict_whose_undo_never_began_is_undone(bench: Bench):
    found = bench.run(*FOUR)
    draft = drafted(found, "harmful", who="verifier", at_ms=3_000)
    state = after(found.state, Event.HARMFUL)
    bench.journal.change(with_state(found, state), draft)

    assert [one.state for one in bench.recovered()] == [State.ROLLED_BACK]
    assert set(bench.shelf.values.values()) == {"old"}


def test_a_harmful_repair_without_an_inverse_stays_as_it_is(bench: Bench):
    found = bench.run(step(1, "a", has_undo=False))
    draft = drafted(found, "harmful", who="verifier", at_ms=3_000)
    bench.journal.change(with_state(found, State.HARMFUL), draft)

    assert [one.state for one in bench.recovered()] == [State.HARMFUL]


def test_a_harmful_repair_that_is_left_to_people_stays_as_it_is(bench: Bench):
    found = bench.run(*FOUR)
    draft = drafted(found, "harmful", who="verifier", at_ms=3_000)
    paged = replace(with_state(found, State.HARMFUL), verification={"remedy": "page"})
    bench.journal.change(paged, draft)

    assert [one.state for one in bench.recovered()] == [State.HARMFUL]
    assert set(bench.shelf.values.values()) == {"new"}


def test_one_that_cannot_be_recovered_keeps_no_other_back(bench: Bench):
    """r2 is at the target of the harmful r1; r3 stands half done."""
    first = bench.run(step(1, "a"))
    draft = drafted(first, "harmful", who="verifier", at_ms=3_000)
    bench.journal.change(with_state(first, State.HARMFUL), draft)
    bench.run(step(1, "b"), name="r2")
    bench.approved(step(1, "c"), name="r3", target="region:eu", requested_ms=9_000)
    ending(bench, 4)
    with pytest.raises(Killed):
        bench.runner().run("r3", who="runner")

    assert [one.repair_id for one in restarted(bench).recovered()] == ["r3"]
    assert bench.journal.get("r1").state is State.HARMFUL


def with_state(found: Repair, state: State) -> Repair:
    return replace(found, state=state)


TROUBLES = ("", "refuses", "timed out, done", "timed out, not done", "breaks", "dies")


@pytest.mark.slow
@given(troubles=st.lists(st.sampled_from(TROUBLES), max_size=12), point=st.integers(1, 60))
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_whatever_goes_wrong_in_whatever_order_nothing_is_left_half_done(store, troubles, point):
    store._engine.write("MATCH (n) DETACH DELETE n", {})
    bench, left = Bench(Watched(store)), [*troubles]
    bench.approved(*FOUR)
    for _ in range(POINTS_MAX):
        ending(bench, point)
        disturbed(bench.shelf, left)
        try:
            if bench.journal.get("r1").state is State.APPROVED:
                bench.runner().run("r1", who="runner")
            bench.recovered()
        except Killed:
            pass
        if bench.journal.get("r1").state not in (*HALF_DONE, State.APPROVED):
            break
        bench, point = restarted(bench), POINTS_MAX  # It ends at a journal's point once.

    assert_whole_at_the_end(bench, bench.journal.get("r1"))


def disturbed(shelf: Shelf, left: list[str]) -> None:
    """Let each call meet the next of the troubles that are left."""
    ends = shelf.before_apply

    def meet(call) -> None:
        ends(call)
        trouble = left.pop(0) if left else ""
        if trouble == "refuses":
            raise ConnectorError("500")
        if trouble == "timed out, not done":
            raise OutcomeUnknown("timed out")
        if trouble == "dies":
            raise Killed
        shelf.after_apply = {
            "timed out, done": raising(OutcomeUnknown("timed out")),
            "breaks": raising(KeyError("x")),
        }.get(trouble, ends)

    shelf.before_apply = meet


def raising(error: Exception):
    def fail(call) -> None:
        raise error

    return fail


def assert_whole_at_the_end(bench: Bench, found: Repair) -> None:
    calls = bench.shelf.calls
    assert len(calls) == len(set(calls))
    if found.state is State.VERIFYING:
        assert bench.shelf.values == dict.fromkeys("abcd", "new")
    else:
        assert found.state in (State.ROLLED_BACK, State.FAILED)
        assert set(bench.shelf.values.values()) <= {"old"}
    assert list(verify_journal(bench.journal)) == []


def test_a_repair_that_waits_for_people_is_no_business_of_a_recovery(bench: Bench):
    bench.approved(*FOUR)
    wanted = repair("r2")
    bench.journal.create(wanted, drafted(wanted, "propose", who="x", at_ms=1))

    assert bench.recovered() == []
