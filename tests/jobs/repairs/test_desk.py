from dataclasses import replace

import pytest

from graphmind.errors import UnknownName
from graphmind.jobs.watch import watch
from graphmind.repair.planner import PlanRefused
from graphmind.repair.states import NotAllowed, State
from tests.jobs.repairs.planet import Planet

pytestmark = pytest.mark.slow


def incident_id(planet: Planet) -> str:
    (incident,) = planet.archive.incidents()
    return str(incident["incident_id"])


def planned(planet: Planet, **more):
    return planet.desk.plan(incident_id(planet), who="ann", **more)


def approved(planet: Planet, **more):
    repair = planned(planet, **more)
    for who in ("bob", "cy"):
        repair = approve(planet, repair, who)
    return repair


def approve(planet: Planet, repair, who="bob", role="approver", plan_hash=None):
    return planet.desk.approve(
        repair.repair_id, who=who, role=role, plan_hash=plan_hash or repair.plan.plan_hash
    )


def told(planet: Planet, repair) -> list[str]:
    return [each.draft.what for each in planet.desk.entries(repair_id=repair.repair_id)]


def test_a_model_version_is_switched_back_once_two_people_approved(planet):
    repair = planned(planet)
    assert repair.state is State.AWAITING_APPROVAL
    assert "switch planner from 3 to 2" in planet.desk.text(repair)
    assert planet.registry.version == "3"

    once = approve(planet, repair)
    assert once.state is State.AWAITING_APPROVAL
    assert "nobody" not in once.reason
    twice = approve(planet, once, "cy")
    ran = planet.desk.run(twice.repair_id, who="ann")

    assert (ran.state, ran.target) == (State.VERIFYING, "model:planner")
    assert planet.registry.version == "2"
    assert told(planet, ran)[:6] == [
        "propose",
        "plan",
        "request_approval",
        "approval",
        "approve",
        "run",
    ]
    assert planet.desk.verify_audit() == []


def test_the_same_key_gives_the_same_repair(planet):
    first = planned(planet, idempotency_key="k1")

    assert planned(planet, idempotency_key="k1") == first
    assert planned(planet, idempotency_key="k2").repair_id != first.repair_id
    assert len(planet.desk.repairs()) == 2


def test_a_dry_run_is_kept_and_never_runs(planet):
    repair = planned(planet, dry_run=True)

    assert (repair.state, repair.mode) == (State.PLANNED, "dry_run")
    with pytest.raises(NotAllowed):
        planet.desk.run(repair.repair_id, who="ann")
    with pytest.raises(NotAllowed):
        approve(planet, repair)


def test_a_world_that_changed_is_planned_for_anew_and_asked_about_again(planet):
    repair = approved(planet)
    planet.registry.version = "4"

    again = planet.desk.run(repair.repair_id, who="ann")

    assert again.state is State.AWAITING_APPROVAL
    assert again.plan.plan_hash != repair.plan.plan_hash
    assert again.plan.steps[0].before == {"version": "4"}
    assert planet.registry.switched == []
    with pytest.raises(NotAllowed, match="read it"):
        approve(planet, again, plan_hash=repair.plan.plan_hash)


@pytest.mark.parametrize("role", ["viewer", "responder"])
def test_only_approvers_decide(planet, role):
    with pytest.raises(NotAllowed, match=role):
        approve(planet, planned(planet), role=role)


def test_who_asked_is_not_enough_with_one_other_at_model_level(planet):
    repair = approve(planet, planned(planet), "ann")

    assert repair.state is State.AWAITING_APPROVAL
    assert approve(planet, repair, "ann").state is State.AWAITING_APPROVAL
    assert approve(planet, planet.desk.get(repair.repair_id), "bob").state is State.APPROVED


def test_a_rejection_ends_it(planet):
    repair = planned(planet)

    ended = planet.desk.reject(
        repair.repair_id, who="bob", role="admin", plan_hash=repair.plan.plan_hash, reason="no"
    )

    assert (ended.state, ended.reason) == (State.REJECTED, "no")
    assert ended.ended_ms == planet.ms


@pytest.mark.parametrize(
    "target", ["target:model:planner", "strategy:model_version_fails", "incident"]
)
def test_what_is_suppressed_is_not_repaired_until_that_is_lifted(planet, target):
    name = f"incident:{incident_id(planet)}" if target == "incident" else target
    waiting = approved(planet)
    planet.desk.suppress(name, who="ann", reason="we look at it", until_ms=None)

    with pytest.raises(NotAllowed, match="we look at it"):
        planet.desk.run(waiting.repair_id, who="ann")
    assert planned(planet).state is State.SUPPRESSED
    planet.desk.suppress(name, who="ann", reason="done", until_ms=planet.ms)
    assert planned(planet).state is State.AWAITING_APPROVAL


def test_a_target_of_no_kind_cannot_be_suppressed(planet):
    with pytest.raises(NotAllowed, match="planner"):
        planet.desk.suppress("planner", who="ann", reason="", until_ms=None)


def test_stopped_nothing_runs_and_released_it_does(planet):
    repair = approved(planet)
    planet.desk.stop(True, who="ann", reason="fire")

    with pytest.raises(NotAllowed, match="fire"):
        planet.desk.run(repair.repair_id, who="ann")
    planet.desk.stop(False, who="ann", reason="out")
    assert planet.desk.run(repair.repair_id, who="ann").state is State.VERIFYING


def test_a_repair_is_undone(planet):
    ran = planet.desk.run(approved(planet).repair_id, who="ann")

    undone = planet.desk.undo(ran.repair_id, who="ann", reason="changed our mind")

    assert undone.state is State.ROLLED_BACK
    assert planet.registry.switched == ["2", "3"]


def test_a_plan_that_is_too_old_expires(planet):
    repair = approved(planet)
    planet.ns += 301 * 10**9
    try:
        assert planet.desk.run(repair.repair_id, who="ann").state is State.EXPIRED
    finally:
        planet.ns -= 301 * 10**9


def test_an_unknown_strategy_or_one_unapproved_is_refused(planet):
    with pytest.raises(UnknownName):
        planned(planet, strategy="none_such")
    with pytest.raises(PlanRefused, match="region"):
        planned(planet, strategy="region_drain")


def test_an_own_strategy_is_used_once_another_person_approved_it(planet, tmp_path):
    (tmp_path / "own.yaml").write_text(
        "strategy_id: own_switch\ntitle: Own\nlevel: critical\nrepair_level: model\n"
        "condition: {root_cause: 'model_version:planner@3', symptom: error}\n"
        "actions:\n  - {action: switch_model_version, target: '{model}', params: {to: '1'}}\n"
    )
    planet.desk.settings = replace(planet.settings, strategies=str(tmp_path))
    planet.desk.open()
    (own,) = [r for r in planet.desk.strategies() if r.strategy.strategy_id == "own_switch"]
    first = planet.desk.choices(incident_id(planet)).matches[0].strategy.strategy_id
    assert first == "model_version_fails"

    planet.desk.approve_strategy(own.key, who="bob")

    best = planet.desk.choices(incident_id(planet)).matches[0].strategy.strategy_id
    assert best == "own_switch"
    assert "approve_strategy" in [each.draft.what for each in planet.desk.entries()]
    planet.graph._engine.write("MATCH (s:Strategy {strategyId: 'own_switch'}) DETACH DELETE s", {})


def test_the_package_holds_plan_approvals_and_trail(planet):
    repair = planet.desk.run(approved(planet).repair_id, who="ann")

    package = planet.desk.package(repair.repair_id)

    assert package["plan_hash"] == repair.plan.plan_hash
    assert len(package["approvals"]) == 2
    assert package["rule_hits"][0]["strategy"] == repair.strategy
    assert [e["draft"]["what"] for e in package["audit"]] == told(planet, repair)


def test_a_plan_made_before_the_graph_is_written_knows_what_it_hits(tmp_path):
    planet = Planet(tmp_path, rate=20, auto_repair=1)
    try:
        planet.live(40, step=20)
        planet.registry.version = "3"
        planet.live(12, step=4)
        (incident,) = watch(planet.archive, planet.settings, now_ms=planet.ms).incidents
        repair = planet.desk.plan(incident["incident_id"], who="policy")
    finally:
        planet.close()

    assert repair.plan is not None
    assert repair.plan.impact.traces > 50
    assert repair.plan.impact.regions == ("eu", "us")
    assert "not known" not in repair.reason
