"""Which requests are compared: strata that hold exposed ones and bystanders alike."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from graphmind.verification.exposure import Cell
from graphmind.verification.words import BYSTANDER, EXPOSED, Group

STRATUM_SHARE_MIN: Final = 0.1
"""Of the exposed requests, that a stratum of its own has (chosen: a tenth matures soon enough)."""
CONTROL_MIN: Final = 0.2
"""Bystanders of a stratum, by its exposed ones: as the rule asks of the whole."""
STRATA_MAX: Final = 4
"""Chosen: each needs a history of its own."""


@dataclass(frozen=True, kw_only=True)
class Strata:
    """Values of one part of the cells, each a stratum; all else is one more, the last."""

    part: int
    """Which part of a cell."""
    values: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.values) + 1

    def of_cell(self, cell: Cell) -> int:
        """Return the stratum of a request."""
        value = cell[self.part] if self.part < len(cell) else None
        return self.values.index(value) if value in self.values else len(self.values)

    def document(self) -> dict[str, Any]:
        """Return the strata as JSON-ready names and values."""
        return {"part": self.part, "values": list(self.values)}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Read what ``document`` returned."""
        return cls(part=document["part"], values=tuple(document["values"]))


def strata_of(requests: Iterable[tuple[Cell, Group]]) -> Strata:
    """Choose the part of the cells that gives most strata with a control; ties by the first part.

    A part that the target goes by, as the task that alone uses it, has exposed requests and
    bystanders in different values, and gives none. The last stratum takes the rest, so values are
    left to it until it has a control too, or nothing exposed.
    """
    counts = Counter(requests)
    width = max((len(cell) for cell, _ in counts), default=0)
    found = [Strata(part=part, values=_values(counts, part)) for part in range(width)]
    return max(found, key=lambda strata: (strata.count, -strata.part), default=_ONE)


_ONE: Final = Strata(part=0, values=())


def _values(counts: Counter[tuple[Cell, Group]], part: int) -> tuple[str, ...]:
    exposed: Counter[str] = Counter()
    control: Counter[str] = Counter()
    for (cell, group), n in counts.items():
        if part < len(cell):
            exposed[cell[part]] += n if group == EXPOSED else 0
            control[cell[part]] += n if group == BYSTANDER else 0
    least = max(STRATUM_SHARE_MIN * exposed.total(), 1)
    own = [v for v, n in exposed.items() if n >= least and control[v] >= CONTROL_MIN * n]
    own.sort(key=lambda value: (-exposed[value], value))
    own = own[:STRATA_MAX]
    while own and not _served(exposed, control, own):
        own.pop()
    return tuple(own)


def _served(exposed: Counter[str], control: Counter[str], own: list[str]) -> bool:
    """Whether what is left over has a control, or nothing that needs one."""
    left = exposed.total() - sum(exposed[value] for value in own)
    beside = control.total() - sum(control[value] for value in own)
    return left == 0 or beside >= CONTROL_MIN * left
