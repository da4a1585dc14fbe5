"""One embedded graph for the tests of a module, emptied for each."""

from collections.abc import Iterator

import pytest

from graphmind.graph.embedded import open_embedded
from graphmind.graph.store import CypherStore
from tests.repair.running import Bench, Watched


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CypherStore]:
    store = open_embedded(tmp_path_factory.mktemp("repairs"))
    yield store
    store.close()


@pytest.fixture
def store(opened: CypherStore) -> CypherStore:
    opened._engine.write("MATCH (n) DETACH DELETE n", {})
    opened.ensure_schema()
    return opened


@pytest.fixture
def bench(store: CypherStore) -> Bench:
    return Bench(Watched(store))
