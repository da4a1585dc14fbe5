"""The port of the property graph: what people query, on the embedded engine or on Neo4j."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

Row = dict[str, Any]
Run = Callable[[str, Mapping[str, Any]], list[Row]]
"""Runs one statement with its parameters and returns its rows."""
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Counters:
    """What a write changed, net of what other processes write to the same graph meanwhile."""

    nodes_created: int = 0
    relationships_created: int = 0
    nodes_deleted: int = 0
    relationships_deleted: int = 0
    missing_ends: int = 0
    """Relationships not written because one end is not in the graph."""


@dataclass(frozen=True, kw_only=True)
class GraphRows:
    """Rows to upsert: properties by node label, and edges by relationship type and end labels.

    ``nodes["Trace"]`` is a list of property maps that contain the label's key.
    ``edges[("Trace", "RAN_ON", "Agent")]`` lists ``{"from": key, "to": key, ...properties}``.
    """

    nodes: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    edges: Mapping[tuple[str, str, str], Sequence[Row]] = field(default_factory=dict)


class GraphStore(Protocol):
    """One set of Cypher texts on two engines; ``graphmind/graph/README.md`` has the ten rules."""

    def ensure_schema(self) -> None:
        """Create constraints and indexes that are missing."""

    def upsert(self, rows: GraphRows) -> Counters:
        """Write nodes, then relationships; writing the same rows twice changes nothing."""

    def replace_derived(self, rows: GraphRows, run_id: str) -> Counters:
        """Upsert derived nodes and edges marked ``runId``, then delete those of other runs.

        ``rows`` hold all that shall remain: what only an earlier run found is gone.
        """

    def read(self, name: str, /, **params: Any) -> list[Row]:
        """Answer a question of ``cypher/questions/`` by name. Raises UnknownName."""

    def explore(
        self, text: str, params: Mapping[str, Any], *, row_limit: int, timeout_s: float
    ) -> list[Row]:
        """Run an analyst's own Cypher, read-only. Raises QueryRefused."""

    def prune(self, before_ms: int) -> Counters:
        """Delete traces (and their spans) that ended before; keep incidents and repairs."""

    def transact(self, work: Callable[[Run], T]) -> T:
        """Run several statements of ``graph/journal.py`` in one durable transaction.

        ``work`` may run again after a conflict; what it raises undoes all of it.
        """

    def ask(self, text: str, params: Mapping[str, Any]) -> list[Row]:
        """Run one statement of ``graph/journal.py`` that only reads."""

    def close(self) -> None:
        """Release the engine."""
