import pytest

from graphmind.archive.duck import DuckArchive
from graphmind.graph.embedded import open_embedded
from graphmind.graph.schema.nodes import Agent, ModelVersion
from graphmind.graph.schema.nodes import Change as ChangeNode
from graphmind.incidents.changes import Change
from graphmind.jobs.inventory import known_changes, store_inventory
from graphmind.jobs.stores import Stores
from tests.archive.rows import facts
from tests.incidents.windows import incident


@pytest.fixture(scope="module")
def graph(tmp_path_factory):
    store = open_embedded(tmp_path_factory.mktemp("graph"))
    yield store
    store.close()


@pytest.fixture
def stores(graph):
    with DuckArchive(None) as archive:
        yield Stores(archive=archive, graph=graph)


def test_changes_and_releases_of_an_inventory_are_found_by_an_analysis(stores):
    deploy = ChangeNode(key="c1", kind="deploy", target="gate", at_ms=5, author="kim")
    release = ModelVersion(key="m@2", released_ms=9)
    store_inventory(stores, [deploy, release, Agent(key="a")])
    store_inventory(stores, [deploy])

    assert known_changes(stores.archive, []) == [
        Change(kind="deploy", target="gate", at_ms=5, author="kim"),
        Change(kind="release", target="m@2", at_ms=9),
    ]
    text = "MATCH (n) RETURN labels(n)[0] AS label ORDER BY label"
    rows = stores.graph.explore(text, {}, row_limit=10, timeout_s=60)
    assert [row["label"] for row in rows] == ["Agent", "Change", "ModelVersion"]


def test_a_cause_that_telemetry_first_showed_late_is_a_change(stores):
    items = [("old", "agent", "a"), ("new", "agent", "b")]
    hour_ns = 3_600_000_000_000
    given = facts(("old", 0), ("new", hour_ns), items=items)
    touches = given.items.set_column(3, "first_ns", [[0, hour_ns]])
    stores.archive.store_facts(type(given)(**{**vars(given), "items": touches}))

    changes = known_changes(stores.archive, [incident(("agent", "a")), incident(("agent", "b"))])

    assert changes == [Change(kind="first seen", target="b", at_ms=3_600_000)]
