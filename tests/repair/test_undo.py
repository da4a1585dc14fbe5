"""Repairs that are undone: last step first, never what somebody else changed since."""

from dataclasses import replace

import pytest

from graphmind.repair.connector import ConnectorError
from graphmind.repair.journal import AuditDraft
from graphmind.repair.states import NotAllowed, State
from tests.repair.repairs import step
from tests.repair.running import ABC, PATIENCE, Bench, failing, states


@pytest.mark.parametrize("harmful", [True, False])
def test_an_executed_repair_is_undone_by_a_person_or_its_verdict(bench: Bench, harmful):
    bench.run(*ABC)
    found = bench.runner().undo("r1", who="ann", reason="p95 rose", harmful=harmful)

    assert (found.state, found.reason, found.operator) == (State.ROLLED_BACK, "p95 rose", "mixed")
    assert bench.shelf.values == {"a": "old", "b": "old", "c": "old"}
    assert ("harmful" in bench.told()) == harmful


def test_what_has_no_inverse_is_named_when_the_rest_is_undone(bench: Bench):
    bench.run(step(1, "a"), step(2, "b", has_undo=False), step(3, "c"))
    found = bench.runner().undo("r1", who="ann", reason="it did harm")

    assert found.state is State.ROLLED_BACK
    assert found.reason == "it did harm; not brought back: step 2: nobody unsends it"
    assert bench.shelf.values == {"a": "old", "b": "new", "c": "old"}


def test_a_repair_of_which_nothing_can_be_undone_is_not_rolled_back(bench: Bench):
    bench.run(step(1, "a", has_undo=False))

    with pytest.raises(NotAllowed, match="no step that is in effect has an inverse"):
        bench.runner().undo("r1", who="ann", reason="")
    assert bench.journal.get("r1").state is State.VERIFYING


def test_an_undo_that_does_not_work_ends_as_failed_and_can_be_asked_for_again(bench: Bench):
    bench.run(*ABC)
    bench.shelf.before_undo = failing(ConnectorError("500"), "b")
    failed = bench.runner().undo("r1", who="ann", reason="harm")

    assert (failed.state, failed.reason) == (
        State.FAILED,
        "step 2 could not be undone: 500",
    )
    assert states(failed) == ["applied", "applied", "undone"]
    assert bench.told().count("step_undo_failed") == PATIENCE.attempts_max
    bench.shelf.before_undo = lambda call: None
    assert bench.runner().undo("r1", who="ann", reason="again").state is State.ROLLED_BACK
    assert bench.shelf.values == {"a": "old", "b": "old", "c": "old"}


def test_an_undo_is_not_believed_either(bench: Bench):
    bench.run(step(1, "a"))
    bench.shelf.after_undo = lambda call: bench.shelf.values.update(a="new")
    found = bench.runner().undo("r1", who="ann", reason="harm")

    assert found.state is State.FAILED
    assert "the step is still in effect" in found.reason


def test_an_inverse_that_brings_not_all_back_is_believed(bench: Bench):
    inexact = replace(step(1, "a"), undoes_with="the old value, not its age")
    bench.run(inexact)
    bench.shelf.after_undo = lambda call: bench.shelf.values.update(a="older")

    assert bench.runner().undo("r1", who="ann", reason="harm").state is State.ROLLED_BACK


def test_an_undo_leaves_alone_what_somebody_else_changed_since(bench: Bench):
    bench.run(*ABC)
    bench.shelf.values["c"] = "theirs"
    found = bench.runner().undo("r1", who="ann", reason="harm")

    assert found.state is State.FAILED
    assert bench.shelf.values == {"a": "new", "b": "new", "c": "theirs"}


def test_a_stop_does_not_keep_a_repair_from_being_undone(bench: Bench):
    bench.run(*ABC)
    bench.journal.set("stop", {"on": True}, AuditDraft(who="ann", what="stop", at_ms=1))

    assert bench.runner().undo("r1", who="ann", reason="").state is State.ROLLED_BACK
