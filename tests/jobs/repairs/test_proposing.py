from dataclasses import replace

import pytest

from graphmind.jobs.repairs.proposing import KIND, Looked, repair_due
from graphmind.repair.audit import drafted
from graphmind.repair.states import Event, State, after
from tests.jobs.repairs.test_desk import approve, incident_id, told

pytestmark = pytest.mark.slow


def test_a_repair_is_proposed_once_and_waits_for_people(planet):
    looked = Looked()

    (repair,) = repair_due(planet.desk, looked).planned
    assert repair.state is State.AWAITING_APPROVAL
    assert repair_due(planet.desk, looked).counts == {}
    for who in ("bob", "cy"):
        approve(planet, repair, who)
    (ran,) = repair_due(planet.desk, looked).ran

    assert ran.state is State.VERIFYING
    assert planet.registry.version == "2"
    assert (ran.operator, ran.requested_by) == ("mixed", "policy")
    assert repair_due(planet.desk, Looked()).counts == {}


def test_without_the_setting_it_only_proposes(planet):
    planet.desk.settings = replace(planet.settings, auto_repair=0)

    (repair,) = repair_due(planet.desk, Looked()).planned
    for who in ("bob", "cy"):
        approve(planet, repair, who)

    assert repair_due(planet.desk, Looked()).ran == ()
    assert planet.registry.switched == []


def test_a_connector_that_only_plans_is_not_run_by_itself(planet):
    planet.registry.live = False

    (repair,) = repair_due(planet.desk, Looked()).planned
    for who in ("bob", "cy"):
        approve(planet, repair, who)

    assert repair_due(planet.desk, Looked()).ran == ()
    assert "registry only plans" in repair.reason


def test_what_people_turned_down_is_not_proposed_again_and_that_is_said_once(planet):
    (repair,) = repair_due(planet.desk, Looked()).planned
    planet.desk.cancel(repair.repair_id, who="ann", reason="no")
    planet.ns += 61 * 10**9
    try:
        assert repair_due(planet.desk, Looked()).counts == {"refused": 1}
        assert repair_due(planet.desk, Looked()).counts == {"refused": 1}
    finally:
        planet.ns -= 61 * 10**9

    (note,) = planet.archive.documents(KIND).values()
    assert note["summary"].startswith("no automatic repair: model_version_fails was tried")
    notes = [e for e in planet.desk.entries() if e.draft.what == "no_repair"]
    assert len(notes) == 1
    assert notes[0].draft.body["evidence"]["symptom"] == "error"


def test_what_was_inconclusive_stays_in_effect_and_is_not_done_again(planet):
    looked, desk = Looked(), planet.desk
    (repair,) = repair_due(desk, looked).planned
    for who in ("bob", "cy"):
        approve(planet, repair, who)
    (ran,) = repair_due(desk, looked).ran
    over = replace(
        ran,
        state=after(ran.state, Event.INCONCLUSIVE),
        verdict="inconclusive",
        ended_ms=planet.ms,
    )
    desk.journal.change(over, drafted(over, "inconclusive", who="test", at_ms=planet.ms))
    planet.ns += 61 * 10**9
    try:
        assert repair_due(desk, Looked()).counts == {"refused": 1}
    finally:
        planet.ns -= 61 * 10**9
    assert desk.get(ran.repair_id).state is State.INCONCLUSIVE


def test_a_proposal_on_a_cause_that_is_no_longer_named_is_given_up(planet):
    (repair,) = repair_due(planet.desk, Looked()).planned
    (incident,) = planet.archive.incidents()
    other = dict(incident["causes"][0], all_of=[{"kind": "agent", "name": "router"}])
    planet.archive.save_incidents("analysis", [incident | {"causes": [other]}])
    try:
        repair_due(planet.desk, Looked())
    finally:
        planet.archive.save_incidents("analysis", [incident])

    assert planet.desk.get(repair.repair_id).state is State.CANCELLED
    assert told(planet, repair)[-1] == "cancel"


def test_a_plan_that_waited_runs_once_its_cause_is_sure_enough(planet):
    planet.desk.settings = replace(planet.settings, repair_standing=1)
    (key,) = [
        each.key
        for each in planet.desk.strategies()
        if each.strategy.strategy_id == "model_version_fails"
    ]
    for who in ("ann", "bob"):
        planet.desk.approve_strategy(key, who=who)
    (incident,) = planet.archive.incidents()
    unsure = dict(incident["causes"][0], confidence=0.3)
    planet.archive.save_incidents("analysis", [incident | {"causes": [unsure]}])
    looked = Looked()
    try:
        (repair,) = repair_due(planet.desk, looked).planned
        assert repair.state is State.AWAITING_APPROVAL
        assert repair_due(planet.desk, looked).counts == {}
    finally:
        planet.archive.save_incidents("analysis", [incident])

    (ran,) = repair_due(planet.desk, looked).ran

    assert (ran.repair_id, ran.state) == (repair.repair_id, State.VERIFYING)
    assert [each.role for each in ran.approvals] == ["policy"]
    assert planet.registry.version == "2"


def test_nothing_is_proposed_while_all_is_stopped_or_the_evidence_has_gaps(planet):
    planet.desk.stop(True, who="ann", reason="fire")
    assert repair_due(planet.desk, Looked()).counts == {}
    planet.desk.stop(False, who="ann", reason="out")
    (incident,) = planet.archive.incidents()
    planet.archive.save_incidents("analysis", [incident | {"causes": []}])
    try:
        assert repair_due(planet.desk, Looked()).counts == {}
        marked = incident | {"causes": [], "eligible_for_repair": True}
        planet.archive.save_incidents("analysis", [marked])
        found = repair_due(planet.desk, Looked())
    finally:
        planet.archive.save_incidents("analysis", [incident])

    assert found.planned == ()
    assert found.refused == 1
    assert incident_id(planet) in planet.archive.documents(KIND)


def test_a_budget_that_is_used_up_keeps_it_from_running_by_itself(planet):
    planet.desk.settings = replace(planet.settings, repairs_an_hour=0)

    (repair,) = repair_due(planet.desk, Looked()).planned

    assert "the budget is used up" in repair.reason
    assert repair.state is State.AWAITING_APPROVAL


def test_two_repairs_of_one_cause_are_not_planned_beside_each_other(planet):
    asked = planet.desk.plan(incident_id(planet), who="ann")

    assert repair_due(planet.desk, Looked()).counts == {}
    assert planet.desk.repairs() == [asked]
