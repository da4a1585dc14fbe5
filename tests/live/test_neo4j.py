from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace

import pytest

from graphmind.errors import StoreError
from graphmind.graph import texts
from graphmind.graph.neo4j import open_neo4j
from graphmind.graph.port import GraphRows
from graphmind.graph.questions import list_questions
from graphmind.graph.schema import EDGES, NODES
from tests.contracts.browser_files import BrowserContract
from tests.contracts.graph_store import ExploringContract, GraphStoreContract
from tests.live.conftest import Server

pytestmark = pytest.mark.neo4j

UPSERTS = [texts.node_text(label) for label in NODES] + [
    texts.edge_text(type_, *ends) for type_, edge in EDGES.items() for ends in edge.ENDS
]
CLEANUPS = [
    *texts.stale_texts(),
    texts.ENDED_TRACES,
    texts.DELETE_SPANS,
    texts.DELETE_TRACES,
]
PARAMETERS = {"rows": [], "runId": "r1", "beforeMs": 0, "ids": []}


@pytest.fixture(scope="module")
def opened(neo4j_server: Server):
    store = open_neo4j(**asdict(neo4j_server))
    yield store
    store.close()


class TestNeo4j(GraphStoreContract, ExploringContract, BrowserContract):
    """The contract on a real Neo4j."""

    @pytest.mark.parametrize("text", UPSERTS + CLEANUPS)
    def test_the_server_plans_every_text(self, store, text):
        store._engine.query(f"EXPLAIN {text}", PARAMETERS)

    @pytest.mark.parametrize("asked", list_questions(), ids=lambda q: q.name)
    def test_the_server_plans_every_question_as_a_read(self, store, asked):
        with store._engine._driver.session(database="neo4j") as session:
            params = {p.name: p.default for p in asked.parameters}
            summary = session.run(f"EXPLAIN {asked.text}", params).consume()

        assert summary.query_type == "r"


@pytest.fixture
def both(neo4j_server: Server):
    """Two stores on one server, as two processes would have."""
    stores = [open_neo4j(**asdict(neo4j_server)) for _ in range(2)]
    stores[0]._engine.write("MATCH (n) DETACH DELETE n", {})
    stores[0].ensure_schema()
    yield stores
    for store in stores:
        store.close()


def test_stores_that_write_one_new_key_at_once_make_one_node(both):
    batches = [
        GraphRows(nodes={"Tool": [{"name": f"tool {n}-{i}"} for i in range(20)]}) for n in range(20)
    ]

    at_once(lambda store: [store.upsert(rows) for rows in batches], both)

    assert both[0]._engine.size() == (400, 0)


def test_stores_that_widen_a_time_at_once_lose_no_update(both):
    def widen(store):
        step = 2 * both.index(store) - 1
        for n in range(50):
            seen = {"firstSeenMs": 1_000 - n * step, "lastSeenMs": 2_000 + n * step}
            store.upsert(GraphRows(nodes={"Region": [{"name": "eu", **seen}]}))

    at_once(widen, both)

    read = "MATCH (r:Region) RETURN r.firstSeenMs AS first, r.lastSeenMs AS last"
    assert both[0]._engine.query(read, {}) == [{"first": 951, "last": 2_049}]


def at_once(write, stores) -> None:
    with ThreadPoolExecutor(len(stores)) as pool:
        list(pool.map(write, stores))


@pytest.mark.parametrize("password", ["wrong-password", ""])
def test_a_wrong_password_is_named_with_what_to_do(neo4j_server: Server, password):
    with pytest.raises(StoreError, match="refused user 'neo4j': set GRAPHMIND_NEO4J_USER and"):
        open_neo4j(**asdict(replace(neo4j_server, password=password)))


def test_a_database_that_does_not_exist_is_named_with_what_to_do(neo4j_server: Server):
    with pytest.raises(StoreError, match="cannot use database 'nope': set GRAPHMIND_NEO4J_DATABAS"):
        open_neo4j(**asdict(replace(neo4j_server, database="nope")))
