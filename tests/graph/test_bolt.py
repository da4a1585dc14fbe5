"""The Neo4j adapter where there is no Java: against the Bolt listener of the embedded engine.

That listener ignores read mode and time limits, so exploring is not tried on it.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from graphmind.graph.embedded import imported
from graphmind.graph.neo4j import open_neo4j
from graphmind.graph.store import CypherStore
from tests.contracts.graph_store import GraphStoreContract
from tests.live.conftest import free_ports

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CypherStore]:
    folder: Path = tmp_path_factory.mktemp("bolt")
    bolt, http = free_ports(2)
    server = imported(folder).create_server(
        str(folder / "databases"),
        root_password="graphmind-bolt",
        config={
            "server_plugins": "Bolt:com.arcadedb.bolt.BoltProtocolPlugin",
            "bolt_port": bolt,
            "http_port": http,
        },
    )
    server.start()
    server.create_database("neo4j")
    uri = f"bolt://127.0.0.1:{bolt}"
    store = open_neo4j(uri=uri, user="root", password="graphmind-bolt", database="neo4j")
    yield store
    store.close()
    server.stop()


class TestBolt(GraphStoreContract):
    """The contract by the driver, on the embedded engine."""
