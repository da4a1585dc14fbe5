"""The DuckDB file of an archive as it is held open, and opened anew so that memory stays bounded.

DuckDB keeps the metadata of every row group written since it opened a file and has no way to let go
of it: 14 bytes a span, 340 MB in ten minutes at 40,000 spans a second (measured). What was written
before the file was opened is read only where it is asked for. Opening anew takes 0.2 s; under full
load 0.6 to 1.6 s, most of it for the log that is worked in before (measured).
"""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import duckdb

from graphmind.archive.database import attach, sql

REOPENED_EVERY: Final = 2_000_000
"""Rows written from one opening to the next: 40 MB of metadata, facts included (chosen)."""
HELD_UP_S: Final = 0.3
"""How long who wants a cursor is held up at most so that those in use end (chosen)."""
_log = logging.getLogger(__name__)


class OpenedFile:
    """Gives cursors to any thread; opens the file anew at a moment when none is in use."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        folder: Path | None,
        *,
        every: int = REOPENED_EVERY,
        held_up_s: float = HELD_UP_S,
    ) -> None:
        """Take over a connection with the file of the folder attached, or one that has no file."""
        self._connection = connection
        self._folder = folder
        self._every = every
        self._held_up_s = held_up_s
        self._changed = threading.Condition()
        self._in_use = 0
        self._attached, self._closing = True, False
        self._room = every
        """Rows that may be written before the file is opened anew."""

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Give a cursor in the attached database; each has a search path of its own."""
        with self._changed:
            # Whoever has a cursor and asks for another would wait for itself: hence the bound.
            self._changed.wait_for(lambda: not self._closing, timeout=self._held_up_s)
            self._attach()
            self._in_use += 1
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(sql("use"))
                yield cursor
        finally:
            with self._changed:
                self._in_use -= 1
                self._changed.notify_all()

    def wrote(self, rows: int) -> None:
        """Count rows written; once they are many, open anew when no cursor is in use.

        Where those in use do not end soon, it is tried again some writes later.
        """
        with self._changed:
            self._room -= rows
            if self._folder is None or self._room > 0:
                return
            self._closing = True
            free = self._changed.wait_for(lambda: not self._in_use, timeout=self._held_up_s)
            self._room = self._every if free else self._every // 8
            try:
                if free:
                    self._open_anew()
            finally:
                self._closing = False
                self._changed.notify_all()

    def _open_anew(self) -> None:
        began_s = time.monotonic()
        try:
            self._connection.execute(sql("detach"))
            self._attached = False
            self._attach()
        except duckdb.Error:
            # What was written is durable, and whoever needs the file next is told.
            _log.warning("archive_reopen_failed folder=%s", self._folder, exc_info=True)
        else:
            _log.info("archive_reopened seconds=%.3f", time.monotonic() - began_s)

    def _attach(self) -> None:
        if not self._attached:
            attach(self._connection, self._folder)
            self._attached = True
