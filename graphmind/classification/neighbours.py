"""The route by structure: the known cases whose failing trees are most alike."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from graphmind.classification.case import Case
from graphmind.classification.route import Guess, ranked
from graphmind.classification.vectors import TfIdf, View, structure

NEIGHBOURS: Final = 5
"""Cases that vote (chosen)."""


class Known:
    """Known cases to compare with, in one view."""

    def __init__(self, view: View, cases: Sequence[Case]) -> None:
        """Take the cases as they are; their order does not matter."""
        self.cases: Final = tuple(cases)
        self._vectors = TfIdf(view, cases) if self.cases else None

    def similarities(self, case: Case) -> NDArray[np.float64]:
        """Return the cosine with each known case, in their order."""
        if self._vectors is None:
            return np.zeros(0)
        cosines: NDArray[np.float64] = (self._vectors.rows @ self._vectors.row(case).T).toarray()
        # Rounded, so that cases that say the same are equally near.
        return np.round(cosines[:, 0], 9)

    def within(self) -> NDArray[np.float64]:
        """Return the cosines of the known cases with each other: (n_cases, n_cases)."""
        if self._vectors is None:
            return np.zeros((0, 0))
        rows = self._vectors.rows
        cosines: NDArray[np.float64] = (rows @ rows.T).toarray()
        return np.round(cosines, 9)


@dataclass(frozen=True, kw_only=True)
class StructureRoute:
    """Nearest neighbours over tree tokens, weighted by similarity."""

    name: str = "structure"

    def fit(self, cases: Sequence[Case]) -> "Neighbours":
        """Keep the cases."""
        return Neighbours(Known(structure, cases))


@dataclass(frozen=True)
class Neighbours:
    """A vote of the nearest cases."""

    known: Known

    def candidates(self, case: Case) -> tuple[Guess, ...]:
        """Return the labels of the nearest cases; the score is their share of the votes."""
        similarities = self.known.similarities(case)
        labels = [known.label for known in self.known.cases]
        order = sorted(range(len(labels)), key=lambda i: (-similarities[i], labels[i]))
        votes: defaultdict[str, list[int]] = defaultdict(list)
        for row in order[:NEIGHBOURS]:
            if similarities[row] > 0:
                votes[labels[row]].append(row)
        return ranked([self._guess(label, rows, similarities) for label, rows in votes.items()])

    def _guess(self, label: str, rows: list[int], similarities: NDArray[np.float64]) -> Guess:
        nearest = similarities[rows[0]]
        return Guess(
            label=label,
            score=float(similarities[rows].sum()) / NEIGHBOURS,
            reason=f"{len(rows)} of the {NEIGHBOURS} cases most alike in structure, "
            f"the nearest by {nearest:.2f}",
        )
