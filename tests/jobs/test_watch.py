from itertools import pairwise

import pytest

from graphmind.incidents.lifecycle import CLOSED, TRANSITIONS
from graphmind.jobs.watch import watch
from graphmind.simulation.scenario import Scenario
from graphmind.simulation.simulate import simulate
from tests.serving.streams import Live

FAULT = Scenario(
    seed=1,
    traces=8_000,
    incidents=1,
    kinds=("model_error",),
    minutes=2,
    late=0.0,
    duplicated=0.0,
    lost=0.0,
    task_kinds=8,
)
MINUTE_NS = 60 * 10**9


@pytest.fixture(scope="module")
def lived():
    """A stream with one fault, watched every third second, then a quarter of an hour of silence."""
    live = Live()
    runs = []
    for second, _ in enumerate(live.play(FAULT, until_s=150)):
        if second % 3 == 0:
            runs.append(watch(live.archive, live.settings, now_ms=live.clock.ms))
    for _ in range(40):
        live.clock.ns += MINUTE_NS
        live.settle()
        runs.append(watch(live.archive, live.settings, now_ms=live.clock.ms))
    return live, runs


@pytest.mark.slow
def test_the_planted_cause_is_named_first_and_nothing_else_is_opened(lived):
    live, runs = lived
    ((_, name),) = simulate(FAULT).incidents[0].all_of
    opened = [one for run in runs for one in run.opened]

    (incident,) = live.archive.incidents()
    assert opened == [incident["incident_id"]]
    assert incident["causes"][0]["label"] == f"model_version {name}"
    assert incident["where"] is not None
    assert incident["looked_at_traces"] > 0


@pytest.mark.slow
def test_an_incident_keeps_its_id_goes_through_its_states_and_is_closed(lived):
    live, runs = lived
    (incident,) = live.archive.incidents()
    states = [entry["state"] for entry in incident["history"]]
    moved = [(a, b) for a, b in pairwise(states) if a != b]

    assert states[0] == "opened"
    assert states[-1] == incident["state"] == CLOSED
    assert all(after in TRANSITIONS[before] for before, after in moved)
    assert incident["closed_ms"] == incident["history"][-1]["at_ms"]
    assert [one for run in runs for one in run.closed] == [incident["incident_id"]]


@pytest.mark.slow
def test_a_run_that_finds_nothing_new_changes_nothing(lived):
    live, _ = lived

    again = watch(live.archive, live.settings, now_ms=live.clock.ms)

    assert again.changed == ()
    assert again.opened == ()


def test_an_empty_archive_is_watched_without_complaint():
    live = Live()

    found = watch(live.archive, live.settings, now_ms=live.clock.ms)

    assert (found.traces, found.incidents, found.opened) == (0, [], ())
