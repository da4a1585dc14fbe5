import pyarrow as pa
import pytest

from graphmind.archive.duck import DuckArchive
from graphmind.archive.port import Selection
from graphmind.graph.embedded import open_embedded
from graphmind.jobs.repairs.verdicts import RECOVERY
from graphmind.jobs.stores import Stores
from graphmind.jobs.watch import watch
from graphmind.serving.publishing import TRACES_MAX, Publisher
from graphmind.settings import Settings
from graphmind.simulation.scenario import Scenario
from tests.serving.streams import Live

FAULT = Scenario(
    seed=1, traces=6_000, incidents=1, kinds=("model_error",), minutes=2, late=0.0, task_kinds=8
)
EVERY = "MATCH (t:Trace) RETURN t.traceId AS id, t.outcome AS outcome, t.weight AS weight"
JOINED = "MATCH (t:Trace)-[:PART_OF]->(i:Incident) RETURN count(t) AS traces"


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    """A stream with one fault, settled; its stores and the last look at it."""
    folder = tmp_path_factory.mktemp("graph")
    live = Live(archive=DuckArchive(None))
    for _ in live.play(FAULT, until_s=140):
        pass
    found = watch(live.archive, live.settings, now_ms=live.clock.ms)
    graph = open_embedded(folder)
    yield Stores(archive=live.archive, graph=graph), found
    graph.close()


@pytest.mark.slow
def test_failing_traces_come_first_then_a_share_of_the_healthy_and_the_incident_is_joined(lived):
    stores, found = lived
    publisher = Publisher(stores, Settings(healthy_share=0.02))
    facts = stores.archive.facts(Selection())
    publisher.settled(facts)
    first = publisher.publish()
    written = stores.graph._engine.query(EVERY, {})
    assert first["traces"] == len(written) == TRACES_MAX
    assert {one["outcome"] for one in written} <= {"failed", "slow", "hung", "short", "wrong"}

    publisher.analysed(found.changed, found.facts)
    while publisher.publish():
        pass
    written = stores.graph._engine.query(EVERY, {})
    healthy = [one for one in written if one["outcome"] == "ok"]
    (joined,) = stores.graph._engine.query(JOINED, {})

    (incident,) = found.incidents
    assert joined["traces"] == len(incident["trace_ids"])
    assert healthy
    assert all(one["weight"] == pytest.approx(50) for one in healthy if one["weight"] != 1)


@pytest.mark.slow
def test_publishing_again_changes_no_trace(lived):
    stores, found = lived
    before = traces_in(stores)
    publisher = Publisher(stores, Settings(healthy_share=0.02))
    publisher.settled(stores.archive.facts(Selection()))
    publisher.analysed(found.changed, found.facts)
    while publisher.publish():
        pass

    assert traces_in(stores) == before
    assert publisher.publish() == {}


def traces_in(stores: Stores) -> list[tuple[object, ...]]:
    found = stores.graph.explore(EVERY, {}, row_limit=100_000, timeout_s=60)
    return sorted(tuple(one.values()) for one in found)


@pytest.mark.slow
def test_a_recovered_trace_says_by_which_strategy(lived):
    stores, found = lived
    (incident,) = found.incidents
    healed = incident["trace_ids"][0]
    document = {"recovery_strategy": "switch_back@1", "trace_ids": [healed]}
    stores.archive.replace_documents(RECOVERY, {incident["incident_id"]: document})
    publisher = Publisher(stores, Settings())
    ids = pa.array(incident["trace_ids"], pa.string())
    publisher.settled(stores.archive.facts(Selection(trace_ids=ids)))
    while publisher.publish().get("traces"):
        pass

    told = "MATCH (t:Trace) WHERE t.recoveryStrategy IS NOT NULL RETURN t.traceId AS id"
    assert [one["id"] for one in stores.graph._engine.query(told, {})] == [healed]
