from contextlib import AbstractContextManager

from graphmind.archive.duck import DuckArchive
from graphmind.archive.port import Archive
from tests.contracts.archive import ArchiveContract
from tests.contracts.live_archive import LiveArchiveContract


class TestDuckArchive(ArchiveContract):
    def open_empty(self) -> AbstractContextManager[Archive]:
        return DuckArchive(None)


class TestDuckArchiveLive(LiveArchiveContract):
    def open_empty(self) -> AbstractContextManager[Archive]:
        return DuckArchive(None)
