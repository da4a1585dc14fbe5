"""The graph store: one way of writing and asking, over an engine that runs Cypher."""

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from graphmind.graph import texts
from graphmind.graph.explore import refuse_unsafe
from graphmind.graph.port import Counters, GraphRows, Row, Run, T
from graphmind.graph.questions import bind, question
from graphmind.graph.rows import statements
from graphmind.graph.turns import Turns


class Engine(Protocol):
    """What differs between the two engines. Raises StoreError where the engine fails."""

    def define(self, texts: Iterable[str]) -> None:
        """Run constraint and index statements, each in its own transaction."""

    def write(self, text: str, params: Mapping[str, Any]) -> list[Row]:
        """Run one statement in one durable transaction; a conflict is retried."""

    def transact(self, work: Callable[[Run], T]) -> T:
        """Run the statements of ``work`` in one durable transaction.

        After a conflict ``work`` is run again; what it raises is raised, and nothing is written.
        """

    def query(self, text: str, params: Mapping[str, Any]) -> list[Row]:
        """Run one statement that only reads."""

    def explore(
        self, text: str, params: Mapping[str, Any], *, row_limit: int, timeout_s: float
    ) -> list[Row]:
        """Run a stranger's statement. Raises QueryRefused if it is not read-only or not valid."""

    def load_empty(self, rows: GraphRows) -> Counters | None:
        """Write into an empty graph by a faster way of the engine's own; None where it has none."""

    def size(self) -> tuple[int, int]:
        """Return the numbers of nodes and of relationships."""

    def close(self) -> None:
        """Release the engine."""


class CypherStore:
    """A GraphStore. One thread of a process writes at a time; reads run beside it.

    Loads, replacements and prunings come one after another, and let transactions in between their
    statements: what they count holds what was written meanwhile.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._bulk = threading.RLock()
        """Held through a load, a replacement or a pruning."""
        self._turns = Turns()

    def ensure_schema(self) -> None:
        """Create constraints and indexes that are missing."""
        with self._turns.part():
            self._engine.define(texts.schema_texts())

    def upsert(self, rows: GraphRows) -> Counters:
        """Write nodes, then relationships; writing the same rows twice changes nothing."""
        with self._bulk:
            before, loaded = self._load_empty(rows)
            if loaded is not None:
                return loaded
            missing = sum(self._upsert(s.text, s.rows, s.is_edge) for s in statements(rows))
            after = self._engine.size()
        return Counters(
            nodes_created=after[0] - before[0],
            relationships_created=after[1] - before[1],
            missing_ends=missing,
        )

    def replace_derived(self, rows: GraphRows, run_id: str) -> Counters:
        """Upsert derived nodes and edges marked ``runId``, then delete those of other runs.

        In this order, so that a reader never sees a gap.
        """
        with self._bulk:
            written = self.upsert(rows)
            before = self._engine.size()
            for text in texts.stale_texts():
                self._until_none(text, runId=run_id)
            after = self._engine.size()
        return Counters(
            nodes_created=written.nodes_created,
            relationships_created=written.relationships_created,
            nodes_deleted=before[0] - after[0],
            relationships_deleted=before[1] - after[1],
            missing_ends=written.missing_ends,
        )

    def read(self, name: str, /, **params: Any) -> list[Row]:
        """Answer a question of ``cypher/questions/`` by name. Raises UnknownName."""
        asked = question(name)
        return self._engine.query(asked.text, bind(asked, params))

    def explore(
        self, text: str, params: Mapping[str, Any], *, row_limit: int, timeout_s: float
    ) -> list[Row]:
        """Run an analyst's own Cypher, read-only. Raises QueryRefused."""
        refuse_unsafe(text)
        # The embedded engine's time limit holds for the whole database: no write may run under it.
        with self._turns.part():
            return self._engine.explore(text, params, row_limit=row_limit, timeout_s=timeout_s)

    def prune(self, before_ms: int) -> Counters:
        """Delete traces (and their spans) that ended before; keep incidents and repairs."""
        with self._bulk:
            before = self._engine.size()
            while rows := self._engine.query(texts.ENDED_TRACES, {"beforeMs": before_ms}):
                ids = [row["id"] for row in rows]
                self._write(texts.DELETE_SPANS, {"ids": ids})
                self._write(texts.DELETE_TRACES, {"ids": ids})
            after = self._engine.size()
        return Counters(
            nodes_deleted=before[0] - after[0], relationships_deleted=before[1] - after[1]
        )

    def transact(self, work: Callable[[Run], T]) -> T:
        """Run several statements of ``journal.py`` in one durable transaction."""
        with self._turns.at_once():
            return self._engine.transact(work)

    def ask(self, text: str, params: Mapping[str, Any]) -> list[Row]:
        """Run one statement of ``journal.py`` that only reads."""
        return self._engine.query(text, params)

    def close(self) -> None:
        """Release the engine."""
        self._engine.close()

    def _load_empty(self, rows: GraphRows) -> tuple[tuple[int, int], Counters | None]:
        """Return the size as it was, and what was written where the graph was empty."""
        with self._turns.part():
            before = self._engine.size()
            return before, self._engine.load_empty(rows) if before == (0, 0) else None

    def _write(self, text: str, params: Mapping[str, Any]) -> list[Row]:
        """Run one statement of many."""
        with self._turns.part():
            return self._engine.write(text, params)

    def _upsert(self, text: str, rows: list[Row], is_edge: bool) -> int:  # noqa: FBT001 - private
        """Return the number of rows whose ends are missing."""
        answer = self._write(text, {"rows": rows})
        return len(rows) - answer[0]["matched"] if is_edge else 0

    def _until_none(self, text: str, **params: Any) -> None:
        while self._write(text, params)[0]["deleted"]:
            pass
