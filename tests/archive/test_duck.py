from contextlib import AbstractContextManager

from graphmind.archive.duck import DuckArchive
from graphmind.archive.port import Archive
from tests.contracts.archive import ArchiveContract


class TestDuckArchive(ArchiveContract):
    def open_empty(self) -> AbstractContextManager[Archive]:
        return DuckArchive(None)
