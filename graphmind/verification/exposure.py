"""Who would have touched the target: learnt before the repair, from what is fixed at a start.

Which version a request used after the repair says nothing: the repair itself decided that. So a
request belongs to the group of its *cell*, as (task, region, root agent), by what the requests of
that cell did before.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from graphmind.verification.words import BYSTANDER, EXPOSED, RECIPIENT, Group

EXPOSED_SHARE_MIN: Final = 0.5
"""A cell is exposed whose requests touched the target so often, as a share of those of the cell
that touched it most (chosen). A region that shares the load, an agent among several, a key that
half of the tasks read: nobody can say which request would have met it, and the effect shows in all
of them, diluted."""
UNTOUCHED_SHARE_MAX: Final = 0.05
"""Below this share a cell does not touch it (chosen: a rare fallback makes no cell exposed).
Between the two a cell belongs to no group, which it would dilute, unless nothing else is beside."""
CELL_MIN: Final = 20
"""Requests of a cell from which its shares say something (chosen); else its last part is left
out, and its requests judged with those of the wider cell."""
WIDEST_MIN: Final = 5
"""The same of a cell that has no wider one (chosen): a repair may come seconds after the onset."""

Cell = tuple[str, ...]
"""What is fixed at a request's start, the most telling part first, as (task, region, agent)."""


@dataclass(frozen=True, kw_only=True)
class Past:
    """A root request before the repair."""

    cell: Cell
    target: bool
    """It touched what the repair acts on."""
    destination: bool
    """It touched what the repair moves load to, or shares the new path."""


@dataclass(frozen=True, kw_only=True)
class Touched:
    """How many requests of a cell touched what."""

    n: int
    target: int
    destination: int


@dataclass(frozen=True, kw_only=True)
class Exposure:
    """The cells seen before the repair, each with its wider ones."""

    cells: Mapping[Cell, Touched]
    exposed_min: float
    """The share of a cell's requests that touched the target from which all of it is exposed."""
    mixed_beside: bool = False
    """Mixed cells are bystanders. They meet some of the effect themselves, so that a difference to
    them is smaller than it really is: harm is proven later, and never where there is none."""

    def size(self, group: Group) -> int:
        """Return how many past requests belong to a group."""
        width = max(map(len, self.cells), default=0)
        whole = [cell for cell in self.cells if len(cell) == width]
        return sum(self.cells[cell].n for cell in whole if self.group_of(cell) == group)

    def group_of(self, cell: Cell) -> Group | None:
        """Return the group of requests of a cell; None for one that is mixed or never seen."""
        touched = self._touched(cell)
        if touched is None:
            return None
        if touched.target >= self.exposed_min * touched.n:
            return EXPOSED
        if touched.target >= UNTOUCHED_SHARE_MAX * touched.n:
            return BYSTANDER if self.mixed_beside else None
        moved = touched.destination >= UNTOUCHED_SHARE_MAX * touched.n
        return RECIPIENT if moved else BYSTANDER

    def _touched(self, cell: Cell) -> Touched | None:
        for width in range(len(cell), 0, -1):
            touched = self.cells.get(cell[:width])
            if touched is not None and touched.n >= _least(width):
                return touched
        return None

    def document(self) -> dict[str, Any]:
        """Return it as JSON-ready names and values."""
        cells = [[list(c), t.n, t.target, t.destination] for c, t in sorted(self.cells.items())]
        return {
            "cells": cells,
            "exposed_min": self.exposed_min,
            "mixed_beside": self.mixed_beside,
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Read what ``document`` returned."""
        return cls(
            cells={
                tuple(cell): Touched(n=n, target=target, destination=destination)
                for cell, n, target, destination in document["cells"]
            },
            exposed_min=document["exposed_min"],
            mixed_beside=document["mixed_beside"],
        )


def exposure_of(past: Iterable[Past]) -> Exposure:
    """Learn the cells from requests before the repair, of the incident and from before it."""
    counts: dict[Cell, list[int]] = {}
    for one in past:
        for width in range(1, len(one.cell) + 1):
            count = counts.setdefault(one.cell[:width], [0, 0, 0])
            count[0] += 1
            count[1] += one.target
            count[2] += one.destination
    cells = {
        cell: Touched(n=n, target=target, destination=destination)
        for cell, (n, target, destination) in counts.items()
    }
    most = max((t.target / t.n for c, t in cells.items() if t.n >= _least(len(c))), default=0.0)
    return Exposure(cells=cells, exposed_min=max(EXPOSED_SHARE_MIN * most, UNTOUCHED_SHARE_MAX))


def _least(width: int) -> int:
    return CELL_MIN if width > 1 else WIDEST_MIN
