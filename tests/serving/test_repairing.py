import time
from dataclasses import replace

import pytest
from graphmind_api.service_metrics import ServiceState
from prometheus_client import generate_latest

from graphmind.jobs.deliveries import Deliveries
from graphmind.repair.states import Event, State, after
from graphmind.serving.repairing import Lateness
from graphmind.serving.service import Service
from graphmind.telemetry.resolver_table import default_table
from tests.incidents.windows import facts
from tests.jobs.repairs.planet import Planet

pytestmark = pytest.mark.slow


@pytest.fixture
def planet(tmp_path):
    planet = Planet(tmp_path, auto_repair=1, analyze_every_s=0.5)
    planet.break_down()
    yield planet
    planet.close()


def ended(*ago_s: float, now_ms: int):
    traces = [
        {
            "trace_id": f"t{number}",
            "complete": True,
            "start_ns": now_ms * 1_000_000 - round((ago + 1) * 1e9),
            "duration_ns": 10**9,
        }
        for number, ago in enumerate(ago_s)
    ]
    return facts(traces)


def test_telemetry_that_comes_late_is_waited_for_and_only_as_long_as_it_does():
    late = Lateness()
    late.seen(ended(2, 3, now_ms=100_000), 100_000)
    assert late.ms == 0, "two traces say nothing"
    late.seen(ended(*[12.0] * 20, now_ms=101_000), 101_000)
    assert late.ms == 12_000
    late.seen(ended(500, *[3.0] * 30, now_ms=130_000), 130_000)
    assert late.ms == 12_000
    late.seen(ended(500, *[3.0] * 30, now_ms=162_000), 162_000)
    assert late.ms == 3_000
    late.seen(ended(*[900.0] * 9, now_ms=163_000), 163_000)
    assert late.ms == 60_000


def serving(planet: Planet) -> Service:
    return Service(
        planet.stores,
        planet.settings,
        table=default_table(),
        deliveries=Deliveries(planet.archive, alertmanager=None, webhook=None),
        read_alerts=lambda body, rejected: pytest.fail("no alerts are sent here"),
        desk=planet.new_desk(),
        now_ns=lambda: planet.ns,
        seed=1,
    )


def until(true, *, meanwhile=lambda: None, seconds: float = 60.0):
    for _ in range(round(seconds / 0.1)):
        if found := true():
            return found
        meanwhile()
        time.sleep(0.1)
    pytest.fail(f"it did not come to pass in {seconds} s")


def test_a_service_proposes_runs_and_verifies_and_tells_it_in_numbers(planet):
    service = serving(planet)
    service.start()
    assert service.repairing is not None
    desk = service.repairing.desk

    def pass_a_second() -> None:
        planet.arrive()
        planet.ns += 10**9
        settled = service.tally.settled
        until(lambda: service.tally.settled > settled)

    try:
        assert {"repair", "verify", "recover"} <= set(service.checks())
        (proposed,) = until(lambda: desk.repairs(states=[State.AWAITING_APPROVAL]))
        for who in ("bob", "cy"):
            desk.approve(
                proposed.repair_id, who=who, role="admin", plan_hash=proposed.plan.plan_hash
            )
        until(lambda: planet.registry.version == "2")
        until(
            lambda: desk.get(proposed.repair_id).state is State.SUCCEEDED,
            meanwhile=pass_a_second,
            seconds=30,
        )
        assert set(service.checks().values()) == {""}
    finally:
        service.stop()

    text = generate_latest(ServiceState(service)).decode()
    assert "repair_attempt_total 1.0" in text
    assert "repair_success_total 1.0" in text
    assert "repair_latency_p95" in text
    tally = service.repairing.tally()
    assert (tally.attempts, tally.successes) == (1, 1)
    assert tally.latency_p95_s is not None


def test_what_a_process_left_half_done_is_finished_before_the_loops_begin(planet):
    desk = planet.desk
    (incident,) = planet.archive.incidents()
    repair = desk.plan(str(incident["incident_id"]), who="ann")
    assert repair.plan is not None
    for who in ("bob", "cy"):
        repair = desk.approve(
            repair.repair_id, who=who, role="admin", plan_hash=repair.plan.plan_hash
        )
    # Its runner died right after it took the repair up.
    entry = desk.entries(repair_id=repair.repair_id)[-1].draft
    running = replace(repair, state=after(repair.state, Event.RUN), started_ms=planet.ms)
    desk.journal.change(running, replace(entry, what="run"), lease_until_ms=planet.ms + 120_000)
    service = serving(planet)

    service.start()
    try:
        assert desk.get(repair.repair_id).state is State.VERIFYING
        assert planet.registry.switched == ["2"]
    finally:
        service.stop()
