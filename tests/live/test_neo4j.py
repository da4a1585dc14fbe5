from dataclasses import asdict, replace

import pytest

from graphmind.errors import StoreError
from graphmind.graph import texts
from graphmind.graph.neo4j import open_neo4j
from graphmind.graph.questions import list_questions
from graphmind.graph.schema import EDGES, NODES
from tests.contracts.graph_store import GraphStoreContract
from tests.live.conftest import Server, free_ports

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


class TestNeo4j(GraphStoreContract):
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


def test_a_server_that_is_down_is_named_with_what_to_do(neo4j_server: Server):
    down = replace(neo4j_server, uri=f"bolt://127.0.0.1:{free_ports(1)[0]}")

    with pytest.raises(StoreError, match=r"No Neo4j answers at .*: start it, mend GRAPHMIND_NEO4J"):
        open_neo4j(**asdict(down))


@pytest.mark.parametrize("password", ["wrong-password", ""])
def test_a_wrong_password_is_named_with_what_to_do(neo4j_server: Server, password):
    with pytest.raises(StoreError, match="refused user 'neo4j': set GRAPHMIND_NEO4J_USER and"):
        open_neo4j(**asdict(replace(neo4j_server, password=password)))


def test_a_database_that_does_not_exist_is_named_with_what_to_do(neo4j_server: Server):
    with pytest.raises(StoreError, match="cannot use database 'nope': set GRAPHMIND_NEO4J_DATABAS"):
        open_neo4j(**asdict(replace(neo4j_server, database="nope")))


@pytest.mark.parametrize("uri", ["ftp://127.0.0.1", "127.0.0.1:7687"])
def test_an_address_of_another_kind_is_named_with_what_to_do(neo4j_server: Server, uri):
    with pytest.raises(StoreError, match="should be like bolt://host:7687"):
        open_neo4j(**asdict(replace(neo4j_server, uri=uri)))
