"""Drift of agents over an archive: planted streams, one calm."""

import random

import pytest

from graphmind.archive.duck import DuckArchive
from graphmind.jobs.drift import drift
from graphmind.jobs.panels.drift import drifts
from graphmind.jobs.panels.view import View
from graphmind.jobs.reading.fleet import health, health_in_time, recent
from graphmind.jobs.settle import settle
from graphmind.settings import Settings
from graphmind.telemetry.rejections import Rejections
from tests.builders import EPOCH_NS, MS, in_trace, span
from tests.jobs.windows import HOUR_MS, loaded

AGENTS = ("calm", "slower", "astray")
TRACES = 240
TURN = 150
"""Trace at which two of the agents begin to drift, of those in the two hours."""
EVERY_MS = 2 * HOUR_MS / TRACES


def turn(agent: str, n: int, rng: random.Random):
    """One call of an agent, which calls a tool or asks a store."""
    begin = n * EVERY_MS
    drifted = n >= TURN
    ms = rng.lognormvariate(5, 0.4) * (1.8 if drifted and agent == "slower" else 1)
    share = 0.9 if drifted and agent == "astray" else 0.3
    module = "Search" if rng.random() < share else "Store"
    named = {"gen_ai.agent.name": agent}
    own = span("root", begin, begin + ms, resource=named, attributes={"module": "Agent"})
    called = span("call", begin, begin + ms / 2, parent="root", resource=named)
    return in_trace(f"{agent}-{n}", [own, called | {"attributes": {"module": module}}])


@pytest.fixture(scope="module")
def archive():
    rng = random.Random(3)
    with DuckArchive(None) as opened:
        rows = [row for n in range(TRACES) for agent in AGENTS for row in turn(agent, n, rng)]
        loaded(opened, rows)
        settle(opened, Settings(), Rejections())
        yield opened


@pytest.fixture(scope="module")
def found(archive):
    return {row["group"]: row for row in drift(archive)}


@pytest.mark.parametrize("agent", AGENTS)
def test_one_agent_alone_is_told_as_among_all_but_no_sooner_called_sure(archive, found, agent):
    [alone] = drift(archive, agent=agent)
    among = found[agent]

    told = ("group", "response_shift", "branch_shift", "mean_ms", "was_mean_ms")
    assert {name: alone[name] for name in told} == {name: among[name] for name in told}
    assert alone["q_value"] >= among["q_value"]
    assert (alone["score"] > 0) == (among["score"] > 0)


def test_agents_that_drifted_are_told_with_how_and_since_when(found):
    began_ms = EPOCH_NS // MS + round(TURN * EVERY_MS)
    slower, astray = found["slower"], found["astray"]

    assert slower["mean_ms"] > 1.3 * slower["was_mean_ms"]
    assert slower["response_shift"] == pytest.approx(0.47, abs=0.3)
    assert slower["branch_shift"] < 0.05
    assert astray["branch_shift"] > 0.1
    assert abs(astray["response_shift"]) < 0.2
    for row in (slower, astray):
        assert row["score"] > 0
        assert abs(row["since_ms"] - began_ms) < 15 * EVERY_MS


def test_a_calm_agent_has_no_score(found):
    assert found["calm"]["score"] == 0
    assert found["calm"]["since_ms"] is None
    assert found["calm"]["q_value"] > 0.01


def test_an_agents_page_tells_its_drift_and_the_list_leaves_it_to_the_page(archive, found):
    time = recent(archive)
    listed = {row["name"]: row["drift"] for row in health(archive, "agent", time)}
    paged = {name: health_in_time(archive, "agent", name, time)["drift"] for name in found}

    assert listed == dict.fromkeys(found)
    assert paged["slower"]["score"] > 0
    assert paged["calm"]["score"] == 0


def test_a_panel_halves_a_time_before_which_there_is_nothing(archive, found):
    until_ms = EPOCH_NS // MS + 2 * HOUR_MS
    view = View(from_ms=until_ms - 2 * HOUR_MS, until_ms=until_ms, step_ms=60_000)
    rows = {row["group"]: row for row in drifts(archive, view)}

    assert rows["slower"]["since"] == found["slower"]["since_ms"]
    assert rows["calm"]["since"] is None
    assert rows["astray"]["score"] > 0


def test_before_the_turn_nobody_drifts(archive):
    until_ms = EPOCH_NS // MS + round(TURN * EVERY_MS)

    assert {row["score"] for row in drift(archive, until_ms=until_ms)} == {0}


def test_without_traces_nothing_is_told():
    with DuckArchive(None) as archive:
        assert drift(archive) == []
