"""An analyst's own Cypher: read-only, bounded in rows and in time."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from graphmind.graph.port import GraphStore

TIMEOUT_S: Final = 5.0
"""How long a statement may run (chosen: people wait, and a server has other work)."""


@dataclass(frozen=True, kw_only=True)
class Explored:
    """Rows of an answer, each in the order of the columns."""

    columns: list[str]
    rows: list[list[Any]]
    truncated: bool
    seconds: float


def explore(graph: GraphStore, text: str, parameters: Mapping[str, Any], *, limit: int) -> Explored:
    """Run a statement. Raises QueryRefused where it is not read-only, not valid or takes long."""
    began = time.perf_counter()
    found = graph.explore(text, parameters, row_limit=limit + 1, timeout_s=TIMEOUT_S)
    columns = list(found[0]) if found else []
    return Explored(
        columns=columns,
        rows=[[plain(row.get(name)) for name in columns] for row in found[:limit]],
        truncated=len(found) > limit,
        seconds=round(time.perf_counter() - began, 4),
    )


def plain(value: Any) -> Any:
    """Return a value of the graph as JSON has it; what JSON does not know becomes text."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case Mapping():
            return {str(name): plain(each) for name, each in value.items()}
        case list() | tuple() | set() | frozenset():
            return [plain(each) for each in value]
        case _:
            return str(value)
