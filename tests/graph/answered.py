"""Every question with the graph it is asked of and the rows that are right there."""

from typing import Any

from graphmind.graph.port import GraphRows
from tests.graph import planted, planted_week

ANSWERED: dict[str, tuple[GraphRows, dict[str, Any], list[tuple[Any, ...]]]] = {
    name: (rows, *answer)
    for rows, answers in (
        (planted.planted(), planted.ANSWERS),
        (planted_week.planted_week(), planted_week.ANSWERS),
    )
    for name, answer in answers.items()
}
"""By name: (graph, parameters, rows of the question's columns)."""
