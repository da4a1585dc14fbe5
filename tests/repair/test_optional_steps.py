"""Steps that a repair can do without: it goes on without them, and never rests on them alone."""

import pytest

from graphmind.repair.connector import ConnectorError, OutcomeUnknown, StateChanged
from graphmind.repair.states import State
from tests.repair.repairs import step
from tests.repair.running import PATIENCE, Bench, failing, states

REFUSED = ConnectorError("expected a task of at most 300 s, got 412 s")
STEPS = (step(1, "a"), step(2, "b", optional=True), step(3, "c"))


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("error", [REFUSED, StateChanged("b should be old, is odd")])
def test_an_optional_step_that_is_refused_fails_no_repair(
    bench: Bench, error: Exception, *, last: bool
):
    bench.shelf.before_apply = failing(error, "b")
    found = bench.run(*STEPS[: 2 if last else 3])

    assert found.state is State.VERIFYING
    assert states(found) == ["applied", "left_out", "applied"][: 2 if last else 3]
    assert found.steps[1].detail == str(error)
    assert bench.entry("step_left_out")["step"] == 2
    assert "b" not in bench.shelf.values
    assert bench.shelf.calls == ["apply:a", "apply:c"][: 1 if last else 2]


def test_a_refused_step_is_tried_as_often_as_any_other_before_it_is_left_out(bench: Bench):
    bench.shelf.before_apply = failing(REFUSED, "b", times=PATIENCE.attempts_max - 1)
    found = bench.run(*STEPS)

    assert states(found) == ["applied"] * 3
    assert found.steps[1].attempts == PATIENCE.attempts_max


def test_an_optional_step_that_came_through_late_is_known_and_undone(bench: Bench):
    def late(call) -> None:
        bench.shelf.values["b"] = "new"
        raise REFUSED

    bench.shelf.before_apply = lambda call: late(call) if call.target == "b" else None
    found = bench.run(*STEPS)
    assert states(found) == ["applied"] * 3

    undone = bench.runner().undo("r1", who="ann", reason="it harms")
    assert undone.state is State.ROLLED_BACK
    assert set(bench.shelf.values.values()) == {"old"}


def test_what_was_left_out_is_not_undone(bench: Bench):
    bench.shelf.before_apply = failing(REFUSED, "b")
    bench.run(*STEPS)
    undone = bench.runner().undo("r1", who="ann", reason="it harms")

    assert undone.state is State.ROLLED_BACK
    assert bench.shelf.calls[-2:] == ["undo:c", "undo:a"]


def test_another_state_of_an_optional_target_stops_nothing_before_the_first_step(bench: Bench):
    bench.shelf.values["b"] = "odd"
    found = bench.run(*STEPS)

    assert (found.state, states(found)) == (State.VERIFYING, ["applied", "left_out", "applied"])


def test_a_repair_of_which_every_step_was_left_out_has_failed(bench: Bench):
    bench.shelf.before_apply = failing(REFUSED, "a")
    found = bench.run(step(1, "a", optional=True))

    assert (found.state, states(found)) == (State.FAILED, ["left_out"])
    assert found.reason == "all its steps had to be left out"


def test_an_optional_step_of_which_nobody_can_tell_waits_for_a_recovery(bench: Bench):
    bench.shelf.before_apply = failing(OutcomeUnknown("no answer in 30 s"), "b")
    bench.shelf.before_verify = failing(ConnectorError("no answer"), "b")
    found = bench.run(*STEPS)
    assert (found.state, states(found)) == (State.RUNNING, ["applied", "intended"])

    bench.shelf.before_verify = lambda call: None
    recovered = bench.recovered()
    assert [each.state for each in recovered] == [State.VERIFYING]
    assert states(recovered[0]) == ["applied", "left_out", "applied"]
