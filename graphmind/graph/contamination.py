"""From lineage documents to the edges of the graph that say who read bad values of whom. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from graphmind.graph.port import Row

EDGES_MAX: Final = 10_000
"""Edges of one lineage at most, nearest first (chosen): the archive has them all."""


def contamination_rows(lineages: Iterable[Mapping[str, Any]], run_id: str) -> list[Row]:
    """Return the rows of ``(Trace)-[:CONTAMINATED_BY]->(Trace)``, marked with the run.

    From a failing trace to the one whose value it read, and to patient zero. Two lineages that tell
    of the same two traces give one row: that of fewer hops, then of the lesser key.
    """
    rows: dict[tuple[str, str], Row] = {}
    for lineage in lineages:
        for edge in lineage["contaminated"][:EDGES_MAX]:
            row = {**edge, "runId": run_id}
            ends = (edge["from"], edge["to"])
            rows[ends] = min(rows.get(ends, row), row, key=lambda r: (r["hops"], r["key"]))
    return [rows[ends] for ends in sorted(rows)]
