from collections.abc import Iterator
from contextlib import contextmanager

from graphmind.archive.duck import DuckArchive
from graphmind.archive.port import Archive
from tests.contracts.queries import QueriesContract


class TestInMemory(QueriesContract):
    @contextmanager
    def open_empty(self) -> Iterator[Archive]:
        with DuckArchive(None) as archive:
            yield archive
