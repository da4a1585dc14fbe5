from typing import NoReturn

import pytest

from graphmind.archive.port import Selection
from graphmind.jobs.library import KIND as LIBRARY
from graphmind.jobs.repairs.proposing import Looked, repair_due
from graphmind.jobs.repairs.verdicts import RECOVERY, recovery_strategies
from graphmind.jobs.repairs.verifying import KIND
from graphmind.repair.states import State
from graphmind.repair.track_record import records_of
from tests.jobs.repairs.planet import Planet

pytestmark = pytest.mark.slow


@pytest.fixture
def planet(tmp_path):
    planet = Planet(tmp_path, auto_repair=1, repair_standing=1)
    yield planet
    planet.close()


@pytest.fixture
def broken(planet):
    planet.break_down()
    return planet


def repaired(planet: Planet):
    """Switch back to version 2, whatever it does now."""
    (incident,) = planet.archive.incidents()
    repair = planet.desk.plan(str(incident["incident_id"]), who="ann")
    assert repair.plan is not None
    for who in ("bob", "cy"):
        planet.desk.approve(
            repair.repair_id, who=who, role="approver", plan_hash=repair.plan.plan_hash
        )
    return planet.desk.run(repair.repair_id, who="ann")


def judged(planet: Planet, repair, *, within_s: int = 180):
    for _ in range(0, within_s, 2):
        planet.live(2, step=2, look=True)
        repair = planet.desk.get(repair.repair_id)
        if repair.state is not State.VERIFYING:
            return repair
    pytest.fail(f"no verdict within {within_s} s: {repair.verification.get('reasons')}")


def dies(*_: object, **__: object) -> NoReturn:
    raise KeyboardInterrupt


def told(planet: Planet, repair) -> list[str]:
    return [each.draft.what for each in planet.desk.entries(repair_id=repair.repair_id)]


def test_a_repair_that_heals_is_effective_also_over_a_restart(broken):
    repair = repaired(broken)
    broken.live(16, step=2, look=True)
    broken.restart()
    broken.live(2, step=2, look=True)
    assert list(broken.archive.documents(KIND)) == [repair.repair_id]

    healed = judged(broken, repair)

    assert (healed.state, healed.verdict) == (State.SUCCEEDED, "effective")
    assert healed.ended_ms == broken.ms
    effect = healed.verification["effect"]
    assert effect["before"]["failure_rate"] > 0.3
    assert effect["after"]["failure_rate"] < 0.03
    assert effect["back"]["failure_rate"] is True
    assert effect["back"]["p95_ms"] is True
    structure = healed.verification["structure"]
    assert structure["before"]["model_version:planner@3"] == 1.0
    assert structure["after"]["model_version:planner@3"] == 0.0
    assert told(broken, healed)[-2:] == ["recovering", "effective"]
    best = records_of([healed]).best(healed.fingerprint)
    assert best is not None
    assert best[0] == healed.strategy
    assert healed.incident_id in broken.archive.documents(LIBRARY)
    flagged = broken.archive.documents(RECOVERY)[healed.incident_id]["trace_ids"]
    traces = broken.archive.facts(Selection()).traces
    recovered = traces.filter(traces["recovered"])["trace_id"].to_pylist()
    assert sorted(recovered) == flagged
    assert traces.filter(traces["fallback_applied"])["trace_id"].to_pylist() == recovered
    assert recovery_strategies(broken.archive) == dict.fromkeys(flagged, healed.strategy)

    # It fails again while it is watched: the incident is back, and nothing is undone by itself.
    broken.registry.version = "3"
    broken.live(40, step=2, look=True)
    relapsed = broken.desk.get(repair.repair_id)
    assert (relapsed.state, relapsed.verdict) == (State.INEFFECTIVE, "ineffective/relapsed")
    assert relapsed.ended_ms == healed.ended_ms
    assert broken.registry.switched == ["2"]
    assert broken.archive.documents(KIND) == {}


def test_a_repair_that_does_nothing_is_ineffective_and_offered_to_be_undone(broken):
    broken.rates["2"] = broken.rates["3"]

    useless = judged(broken, repaired(broken))

    assert (useless.state, useless.verdict) == (State.INEFFECTIVE, "ineffective/none")
    assert useless.verification["remedy"] == "offer_roll_back"
    assert broken.registry.switched == ["2"]
    assert records_of([useless]).anywhere(useless.strategy).words.startswith("worked 0 of 1")


def test_a_repair_that_harms_is_undone_by_itself(broken):
    broken.rates["2"] = 0.95
    repair = repaired(broken)
    # The process ends after the verdict was noted, before anything is undone.
    broken.desk.runner.undo = dies  # as if it were killed
    with pytest.raises(KeyboardInterrupt):
        judged(broken, repair)
    assert broken.desk.get(repair.repair_id).verdict == "harmful"
    assert broken.registry.switched == ["2"]
    broken.restart()

    harmful = judged(broken, repair)

    assert (harmful.state, harmful.verdict) == (State.ROLLED_BACK, "harmful")
    assert broken.registry.switched == ["2", "3"]
    assert told(broken, harmful)[-4:] == ["undo", "step_undoing", "step_undone", "undone"]
    assert "harmful" in told(broken, harmful)
    assert records_of([harmful]).barred("", harmful.strategy).startswith("it did harm")
    assert broken.archive.documents(KIND) == {}


@pytest.mark.parametrize(("rate", "verdict"), [(0.4, "ineffective/none"), (0.005, "effective")])
def test_requests_that_hang_are_told_of_last_and_count_all_the_same(planet, rate, verdict):
    planet.hangs, planet.rolled_out = True, 0.8
    incident = planet.break_down(sick_s=40)
    assert incident["symptom"] == "hang"
    planet.rates["2"] = rate
    (strategy,) = [
        match.strategy.key
        for match in planet.desk.choices(incident["incident_id"]).matches
        if match.strategy.strategy_id == "executor_restart_fallback"
    ]
    assert repair_due(planet.desk, Looked()).counts == {"planned": 1}
    (waiting,) = planet.desk.repairs()
    planet.desk.cancel(waiting.repair_id, who="policy", reason="it was not run")
    planet.ns += 61 * 10**9
    # Of two kinds of task the analysis is never sure; a platform has more.
    sure = incident["causes"][0] | {"confidence": 0.95}
    planet.archive.save_incidents("analysis", [incident | {"causes": [sure]}])
    # Two people who approve the strategy approve its plans.
    for who in ("bob", "cy"):
        planet.desk.approve_strategy(strategy, who=who)

    (repair,) = repair_due(planet.desk, Looked()).ran

    assert (repair.state, repair.operator) == (State.VERIFYING, "system")
    assert repair.approvals[0].role == "policy"
    assert judged(planet, repair).verdict == verdict
