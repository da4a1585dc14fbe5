import pytest

from graphmind.graph.embedded import open_embedded
from tests.contracts.graph_store import GraphStoreContract


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory):
    store = open_embedded(tmp_path_factory.mktemp("embedded"))
    yield store
    store.close()


class TestEmbedded(GraphStoreContract):
    """The contract on the embedded engine."""
