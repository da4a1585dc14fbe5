"""Windows of 120 traces a second apart: one agent in four is bad, and two of its three fail."""

import pytest

from graphmind.archive.duck import DuckArchive
from graphmind.archive.port import Selection
from graphmind.graph.embedded import open_embedded
from graphmind.jobs.analyze import analyze
from graphmind.jobs.settle import settle
from graphmind.jobs.stores import Stores
from graphmind.settings import Settings
from graphmind.simulation.files import SPANS_FILE, write
from graphmind.simulation.scenario import Scenario
from graphmind.simulation.simulate import simulate
from graphmind.telemetry.rejections import Rejections
from graphmind.telemetry.resolve import resolve
from graphmind.wiring import plugin
from tests.builders import EPOCH_NS, MS, at, in_trace, span
from tests.jobs.windows import HOUR_MS, loaded

ALL = Selection()
FIRST, SECOND = Selection(until_ns=at(HOUR_MS)), Selection(from_ns=at(HOUR_MS))
EPOCH_MS = EPOCH_NS // MS
PART_OF = "MATCH (t:Trace)-[:PART_OF]->(i:Incident) RETURN t.traceId AS trace, i.incidentId AS id"
INCIDENTS = "MATCH (i:Incident) RETURN i.incidentId AS id"


def fails(number):
    return number % 4 == 0 and number % 12 != 0


def window(bad, *, hour=0, count=120):
    """Rows of the traces ``<bad>000`` and on, in which this agent fails."""
    return [
        row
        for number in range(count)
        for row in in_trace(
            f"{bad}{number:03}",
            routed("good" if number % 4 else bad, failed=fails(number)),
            later_ms=hour * HOUR_MS + number * 1000,
        )
    ]


def routed(agent, *, failed=False):
    named = {"gen_ai.agent.name": agent}
    return [
        span("route", 0, 100, failed=failed),
        span("work", 10, 90, parent="route", failed=failed, attributes=named),
    ]


@pytest.fixture(scope="module")
def graph(tmp_path_factory):
    store = open_embedded(tmp_path_factory.mktemp("graph"))
    yield store
    store.close()


@pytest.fixture
def stores(graph):
    with DuckArchive(None) as archive:
        graph.prune(at(1000 * HOUR_MS) // MS)
        yield Stores(archive=archive, graph=graph)


def brought(stores, *batches):
    loaded(stores.archive, *batches)
    settle(stores.archive, Settings(), Rejections())


def analyzed(stores, selection=ALL):
    return analyze(stores, Settings(), selection)


def explored(stores, text):
    rows = stores.graph.explore(text, {}, row_limit=1000, timeout_s=60)
    return {tuple(row.values()) for row in rows}


def causes(incidents):
    return [incident["causes"][0]["label"] for incident in incidents]


def test_the_shared_cause_of_a_window_is_found_with_what_to_do(stores):
    brought(stores, window("bad"))
    found = analyzed(stores)

    assert found.window == {
        "from_ms": EPOCH_MS,
        "until_ms": EPOCH_MS + 119_000,
        "traces": 120,
        "read": 120,
        "failing": 20,
        "incomplete": 0,
    }
    assert causes(found.incidents) == ["agent bad"]
    assert found.incidents[0]["trace_ids"] == tuple(f"bad{n:03}" for n in range(120) if fails(n))
    assert found.incidents[0]["command"]["root_node"] == "agent:bad"
    assert found.unexplained == []


def test_incidents_are_kept_in_the_archive_and_in_the_graph_with_their_traces(stores):
    brought(stores, window("bad"))
    (found,) = analyzed(stores).incidents
    name = found["incident_id"]

    assert [kept["incident_id"] for kept in stores.archive.incidents()] == [name]
    assert explored(stores, INCIDENTS) == {(name,)}
    assert explored(stores, PART_OF) == {(trace, name) for trace in found["trace_ids"]}


def test_analyzing_twice_gives_the_same_and_changes_nothing(stores):
    brought(stores, window("bad"))
    first = analyzed(stores)
    before = stores.archive.incidents(), explored(stores, PART_OF)
    second = analyzed(stores)

    assert (second.window, second.incidents) == (first.window, first.incidents)
    assert (second.graph.nodes_created, second.graph.relationships_created) == (0, 0)
    assert (stores.archive.incidents(), explored(stores, PART_OF)) == before


def test_an_analysis_keeps_the_incidents_of_another_window(stores):
    brought(stores, window("bad"), window("worse", hour=1))
    first, second = analyzed(stores, FIRST).incidents, analyzed(stores, SECOND).incidents
    kept = stores.archive.incidents()

    assert (causes(first), causes(second)) == (["agent bad"], ["agent worse"])
    assert sorted(causes(kept)) == ["agent bad", "agent worse"]
    assert explored(stores, INCIDENTS) == {(incident["incident_id"],) for incident in kept}
    assert len(explored(stores, PART_OF)) == 40


def test_an_incident_keeps_its_id_and_name_when_its_window_grows(stores):
    brought(stores, window("bad"))
    (before,) = analyzed(stores).incidents
    earlier = in_trace("bad", routed("bad", failed=True), later_ms=500)
    later = window("bad", hour=0, count=160)
    brought(stores, earlier, later)
    (after,) = analyzed(stores).incidents

    assert after["onset_ms"] < before["onset_ms"]
    assert len(after["trace_ids"]) > len(before["trace_ids"])
    assert [after[n] for n in ("incident_id", "cluster_id", "opened_ms")] == [
        before[n] for n in ("incident_id", "cluster_id", "opened_ms")
    ]
    assert [kept["incident_id"] for kept in stores.archive.incidents()] == [after["incident_id"]]
    assert explored(stores, INCIDENTS) == {(after["incident_id"],)}


def test_an_incident_that_a_window_no_longer_shows_is_gone_from_both_stores(stores):
    brought(stores, window("bad"))
    (found,) = analyzed(stores).incidents
    gone = {
        **found,
        "incident_id": "inc-gone",
        "trace_ids": ["good001", "good002"],
        "causes": [],
    }
    stores.archive.save_incidents("analysis", [found, gone])
    analyzed(stores)

    assert [kept["incident_id"] for kept in stores.archive.incidents()] == [found["incident_id"]]
    assert explored(stores, INCIDENTS) == {(found["incident_id"],)}


def test_a_window_above_the_setting_is_sampled_and_gives_the_same_cause(stores):
    brought(stores, window("bad", count=400))
    whole = analyzed(stores)
    sampled = analyze(stores, Settings(window_traces=200), ALL)

    assert sampled.window["read"] < 260
    assert sampled.window["traces"] == pytest.approx(400, rel=0.1)
    assert causes(sampled.incidents) == causes(whole.incidents) == ["agent bad"]
    assert sampled.incidents[0]["trace_ids"] == whole.incidents[0]["trace_ids"]
    assert sampled.incidents[0]["incident_id"] == whole.incidents[0]["incident_id"]


def test_the_verdict_says_where_its_traces_depart_from_the_healthy_ones(stores):
    brought(stores, *(slow_where_bad(number) for number in range(120)))
    found = analyzed(stores).incidents[0]

    assert found["where"]["places"][0]["service"] == "runner"
    assert found["where"]["places"][0]["operation"] == "work"


def slow_where_bad(number):
    """Rows of a trace through a gate to a runner, which takes ten times as long if it is bad."""
    bad = number % 4 == 0
    end = 1000 if bad else 100
    named = {"gen_ai.agent.name": "bad" if bad else "good"}
    gate = span("route", 0, end, service="gate")
    runner = span(
        *("work", 10, end - 10),
        parent="route",
        service="runner",
        failed=fails(number),
        attributes=named,
    )
    return in_trace(f"bad{number:03}", [gate, runner], later_ms=number * 1000)


def test_failures_that_share_nothing_are_listed_as_unexplained(stores):
    rows = [
        in_trace(f"t{n:02}", routed("good", failed=n in (3, 40)), later_ms=n) for n in range(60)
    ]
    brought(stores, *rows)
    found = analyzed(stores)

    assert (found.incidents, found.unexplained) == ([], ["t03", "t40"])
    assert stores.archive.incidents() == []


def test_a_selection_without_traces_finds_nothing_and_keeps_what_is_known(stores):
    brought(stores, window("bad"))
    analyzed(stores)
    before = stores.archive.incidents()
    found = analyzed(stores, SECOND)

    assert found.window == {
        "from_ms": None,
        "until_ms": None,
        "traces": 0,
        "read": 0,
        "failing": 0,
        "incomplete": 0,
    }
    assert (found.incidents, found.unexplained) == ([], [])
    assert stores.archive.incidents() == before


def test_each_stage_is_named_as_it_begins(stores):
    stages: list[str] = []
    brought(stores, window("bad", count=4))
    analyze(stores, Settings(), ALL, stages.append)

    assert stages == [
        "reading facts",
        "finding shared causes",
        "locating incidents",
        "writing the graph",
    ]


def test_incidents_are_in_a_graph_that_is_opened_again(tmp_path):
    with DuckArchive(None) as archive:
        first = Stores(archive=archive, graph=open_embedded(tmp_path))
        brought(first, window("bad"))
        analyzed(first)
        before = explored(first, PART_OF)
        first.graph.close()
        second = Stores(archive=archive, graph=open_embedded(tmp_path))
        after = explored(second, PART_OF)
        second.graph.close()

    assert len(before) == 20
    assert after == before


@pytest.mark.slow
def test_every_failing_trace_of_a_simulated_window_is_in_incidents_or_unexplained(stores, tmp_path):
    truth = write(simulate(Scenario(seed=7, traces=1200, incidents=2)), tmp_path)
    rejected = Rejections()
    read = plugin("graphmind.readers", "files")
    stores.archive.append(
        resolve(batch) for batch in read([str(tmp_path / SPANS_FILE)], rejected, stdin=None)
    )
    settle(stores.archive, Settings(), rejected)
    found = analyzed(stores)

    explained = [trace for incident in found.incidents for trace in incident["trace_ids"]]
    assert len(found.incidents) >= len(truth["incidents"])
    assert found.window["failing"] == len({*explained, *found.unexplained})
    assert {*explained}.isdisjoint(found.unexplained)
    assert explored(stores, PART_OF) == {
        (trace, incident["incident_id"])
        for incident in found.incidents
        for trace in incident["trace_ids"]
    }
