import pytest

from graphmind.errors import StoreError
from graphmind.graph.neo4j import open_neo4j
from tests.live.conftest import free_ports


def test_a_server_that_is_down_is_named_with_what_to_do():
    uri = f"bolt://127.0.0.1:{free_ports(1)[0]}"

    with pytest.raises(StoreError, match=f"No Neo4j answers at {uri}: start it, mend GRAPHMIND_NE"):
        open_neo4j(uri=uri, user="neo4j", password="secret", database="neo4j")


@pytest.mark.parametrize("uri", ["ftp://127.0.0.1", "127.0.0.1:7687"])
def test_an_address_of_another_kind_is_named_with_what_to_do(uri):
    with pytest.raises(StoreError, match="should be like bolt://host:7687"):
        open_neo4j(uri=uri, user="neo4j", password="secret", database="neo4j")
