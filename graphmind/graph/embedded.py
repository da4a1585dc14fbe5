"""The embedded engine: ArcadeDB in this process, by its Python API.

One process owns a database. The engine is imported when a graph is opened, because it reads its
log settings from the environment at import.
"""

import os
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Final

from graphmind.errors import QueryRefused, StoreBusy, StoreError
from graphmind.graph.bulk import bulk_load
from graphmind.graph.port import Counters, GraphRows, Row, Run, T
from graphmind.graph.rows import merged_edges, merged_nodes
from graphmind.graph.store import CypherStore

LOADING: Final = "loading"
"""Marker beside the database while a bulk load, which is not atomic, fills an empty graph."""

OWNED: Final = ("locked by another process", "already in use")
"""How the engine says that another process, or this one, has the database open."""


def open_embedded(data_dir: Path) -> CypherStore:
    """Open the graph in ``data_dir/graph``; create it where there is none.

    Raises StoreBusy if another process owns it, StoreError if the folder cannot be used.
    """
    return CypherStore(EmbeddedEngine(data_dir))


class EmbeddedEngine:
    """ArcadeDB in process; every commit is flushed to disk before it returns."""

    def __init__(self, data_dir: Path) -> None:
        self._exploring = threading.Lock()
        self._path = data_dir / "graph"
        self._owner = data_dir / "graph.pid"
        self._loading = data_dir / f"graph.{LOADING}"
        arcadedb = imported(data_dir)
        self._error: type[Exception] = arcadedb.ArcadeDBError
        try:
            self._db = self._opened(arcadedb)
        except self._error as error:
            raise self._refusal(error) from error
        self._db.set_wal_flush("yes_full")
        self._owner.write_text(f"{os.getpid()} {' '.join(sys.argv)}", encoding="utf-8")

    def define(self, texts: Iterable[str]) -> None:
        """Run constraint and index statements, each in its own transaction."""
        for text in texts:
            self.write(text, {})

    def write(self, text: str, params: Mapping[str, Any]) -> list[Row]:
        """Run one statement in one durable transaction; a conflict is retried."""
        return self.transact(lambda run: run(text, params))

    def transact(self, work: Callable[[Run], T]) -> T:
        """Run the statements of ``work`` in one durable transaction; a conflict is retried."""

        def run(text: str, params: Mapping[str, Any]) -> list[Row]:
            rows: list[Row] = self._db.command("opencypher", text, dict(params)).to_list()
            return rows

        try:
            done: T = self._db.run_in_transaction(lambda: work(run))
        except self._error as error:
            raise StoreError(f"The embedded graph refused a write: {error}") from error
        return done

    def query(self, text: str, params: Mapping[str, Any]) -> list[Row]:
        """Run one statement that only reads."""
        return self._read("opencypher", text, dict(params))

    def explore(
        self, text: str, params: Mapping[str, Any], *, row_limit: int, timeout_s: float
    ) -> list[Row]:
        """Run a stranger's statement by the call that refuses writes, under a time limit.

        The limit is one setting of the database: one at a time, or the first to end would lift it.
        """
        with self._exploring:
            self._limit(round(timeout_s * 1000))
            try:
                found = self._db.query("opencypher", text, dict(params))
                return [row.to_dict() for row in islice(found, row_limit)]
            except self._error as error:
                raise QueryRefused(f"The statement was refused or cut off: {error}") from error
            finally:
                self._limit(0)

    def load_empty(self, rows: GraphRows) -> Counters | None:
        """Write into an empty graph by GraphBatch.

        A load that is cut off leaves half of the links: the marker tells the next opening to begin
        anew, which loses nothing, since the graph was empty.
        """
        nodes, edges = merged_nodes(rows), merged_edges(rows)
        self._loading.touch()
        try:
            counters = bulk_load(self._db, nodes, edges)
        except BaseException as error:
            self._db.close()  # Nothing may be added to half a graph.
            if isinstance(error, self._error):
                raise StoreError(f"The first load broke off, load again: {error}") from error
            raise
        self._loading.unlink()
        return counters

    def size(self) -> tuple[int, int]:
        """Return the numbers of nodes and of relationships."""
        types = self._read("sql", "SELECT type, records FROM schema:types", {})
        nodes = sum(row["records"] for row in types if row["type"] == "vertex")
        return nodes, sum(row["records"] for row in types if row["type"] == "edge")

    def close(self) -> None:
        """Release the data folder."""
        self._db.close()
        self._owner.unlink(missing_ok=True)

    def _read(self, language: str, text: str, params: dict[str, Any]) -> list[Row]:
        try:
            rows: list[Row] = self._db.query(language, text, params).to_list()
        except self._error as error:
            raise StoreError(f"The embedded graph did not answer: {error}") from error
        return rows

    def _opened(self, arcadedb: Any) -> Any:
        if not arcadedb.database_exists(str(self._path)):
            return arcadedb.create_database(str(self._path))
        db = arcadedb.open_database(str(self._path))
        if self._loading.exists():
            db.drop()
            db = arcadedb.create_database(str(self._path))
            self._loading.unlink()
        return db

    def _refusal(self, error: Exception) -> StoreError:
        if not any(words in str(error) for words in OWNED):
            return StoreError(f"The graph in {self._path} cannot be opened: {error}")
        owner = _text(self._owner) or "unknown"
        return StoreBusy(
            f"A running process (pid and command: {owner}) owns the graph in {self._path}. "
            "Stop it, ask it over HTTP if it is `graphmind serve`, or choose another --data-dir."
        )

    def _limit(self, milliseconds: int) -> None:
        self._db.command("sql", f"ALTER DATABASE `arcadedb.command.timeout` {milliseconds}")


def imported(data_dir: Path) -> Any:
    """Import the engine with its console log off and its log files in the data folder."""
    logs = data_dir / "logs"
    try:
        logs.mkdir(parents=True, exist_ok=True)
        (data_dir / "graph.pid").touch()
    except OSError as error:
        raise StoreError(
            f"The data folder {data_dir} should be a folder that can be written: {error}. "
            "Choose another with --data-dir or GRAPHMIND_DATA_DIR."
        ) from error
    os.environ.setdefault("ARCADEDB_LOG_CONSOLE", "0")
    os.environ.setdefault("ARCADEDB_LOG_DIR", str(logs.resolve()))
    import arcadedb  # noqa: PLC0415 - reads the two variables above

    return arcadedb


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""
