"""The DuckDB file of an archive as it is held open, and opened anew so that memory stays bounded.

DuckDB keeps the metadata of every row group written since it opened a file and has no way to let go
of it: 14 bytes a span, 340 MB in ten minutes at 40,000 spans a second (measured). What was written
before the file was opened is read only where it is asked for. Opening anew takes 0.2 s (measured).
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import duckdb

from graphmind.archive.database import attach, sql

REOPENED_EVERY: Final = 2_000_000
"""Rows written from one opening to the next: 28 MB of metadata (chosen)."""
_log = logging.getLogger(__name__)


class OpenedFile:
    """Gives cursors to any thread; opens the file anew at a moment when none is in use."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        folder: Path | None,
        *,
        every: int = REOPENED_EVERY,
    ) -> None:
        """Take over a connection with the file of the folder attached, or one that has no file."""
        self._connection = connection
        self._folder = folder
        self._every = every
        self._lock = threading.Lock()
        self._in_use = 0
        self._attached = True
        self._written = 0

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Give a cursor in the attached database; each has a search path of its own."""
        with self._lock:
            self._attach()
            self._in_use += 1
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(sql("use"))
                yield cursor
        finally:
            with self._lock:
                self._in_use -= 1

    def wrote(self, rows: int) -> None:
        """Count rows written; once they are many, open anew unless a cursor is in use just now.

        Nobody waits for a reader: the next call tries again.
        """
        with self._lock:
            self._written += rows
            if self._folder is None or self._written < self._every or self._in_use:
                return
            self._written = 0
            try:
                self._connection.execute(sql("detach"))
                self._attached = False
                self._attach()
            except duckdb.Error:
                # What was written is durable, and whoever needs the file next is told.
                _log.warning("archive_reopen_failed folder=%s", self._folder, exc_info=True)

    def _attach(self) -> None:
        if not self._attached:
            attach(self._connection, self._folder)
            self._attached = True
