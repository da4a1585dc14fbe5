"""A platform that broke down and was repaired: all that a dashboard can show is there."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from graphmind.repair.record import Repair
from graphmind.repair.states import State
from graphmind.telemetry.metrics import POINTS
from tests.jobs.repairs.planet import Planet

SIGNAL = "agent_retry_total"
CHANGED_MS_BEFORE = 30_000
JUDGED_WITHIN_S = 180


@contextmanager
def repaired_planet(folder: Path) -> Iterator[tuple[Planet, Repair]]:
    """Version 3 of a model fails; a person switches back, and the effect is proven."""
    planet = Planet(folder, rate=20, auto_repair=1)
    try:
        incident = planet.break_down()
        _add_points(planet)
        _add_change(planet, int(incident["onset_ms"]))
        repair = _repaired(planet, str(incident["incident_id"]))
        yield planet, repair
    finally:
        planet.close()


def _repaired(planet: Planet, incident_id: str) -> Repair:
    repair = planet.desk.plan(incident_id, who="ann")
    assert repair.plan is not None
    for who in ("bob", "cy"):
        if repair.state is not State.APPROVED:
            repair = planet.desk.approve(
                repair.repair_id, who=who, role="approver", plan_hash=repair.plan.plan_hash
            )
    planet.desk.run(repair.repair_id, who="ann")
    for _ in range(0, JUDGED_WITHIN_S, 4):
        planet.live(4, step=4, look=True)
        repair = planet.desk.get(repair.repair_id)
        if repair.state is not State.VERIFYING:
            break
    assert repair.state is State.SUCCEEDED, repair.verification
    planet.find()
    return repair


def _add_points(planet: Planet) -> None:
    rows = [
        {
            "name": SIGNAL,
            "time_ns": planet.ns - back * 10**9,
            "value": float(10 - back),
            "agent": "router",
            "labels": '{"agent":"router"}',
        }
        for back in range(5)
    ]
    planet.archive.signals.append_points([pa.RecordBatch.from_pylist(rows, schema=POINTS)])


def _add_change(planet: Planet, onset_ms: int) -> None:
    change = {"kind": "deploy", "target": "planner", "at_ms": onset_ms - CHANGED_MS_BEFORE}
    planet.archive.replace_documents("change", {"deploy-1": {**change, "to": "3"}})
