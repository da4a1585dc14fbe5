"""Cases as rows of numbers: weighted names by TF-IDF, and what a case says of which kind."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction import DictVectorizer
from sklearn.feature_extraction.text import TfidfTransformer

from graphmind.classification.case import Case
from graphmind.classification.wording import words_of

Weights = Mapping[str, float]
View = Callable[[Case], Weights]
"""What one kind of route sees of a case."""


def words(case: Case) -> Weights:
    """Return the words of its texts and codes, each with the largest share of traces it is in."""
    weights: dict[str, float] = {}
    for line in (*case.lines, *case.codes):
        for word in words_of([line.text]):
            weights[word] = max(weights.get(word, 0.0), line.share)
    return weights


def structure(case: Case) -> Weights:
    """Return the tokens of its trees."""
    return {token.name: token.value for token in case.structure}


def numbers(case: Case) -> Weights:
    """Return its numbers."""
    return {number.name: number.value for number in case.numbers}


def everything(case: Case) -> Weights:
    """Return all of it, each name with the kind of its view."""
    views = {"word": words, "tree": structure, "number": numbers}
    return {
        f"{kind} {name}": value
        for kind, view in views.items()
        for name, value in view(case).items()
    }


class TfIdf:
    """A vocabulary learned from cases; rows have length 1, or 0 where nothing is known."""

    def __init__(self, view: View, cases: Sequence[Case]) -> None:
        """Learn the names that the view shows in the cases; one case at least."""
        self._view = view
        self._names = DictVectorizer()
        self._weights = TfidfTransformer()
        self.rows: Final = self._weights.fit_transform(
            self._names.fit_transform(_seen(view, cases))
        )
        """One row a case: (n_cases, n_names) CSR."""

    def row(self, case: Case) -> sparse.csr_matrix:
        """Return a case as (1, n_names) CSR; names not learned are left aside."""
        row: sparse.csr_matrix = self._weights.transform(
            self._names.transform([dict(self._view(case))])
        )
        return row

    @property
    def names(self) -> NDArray[np.str_]:
        """The names in the order of the columns."""
        names: NDArray[np.str_] = self._names.get_feature_names_out()
        return names


def _seen(view: View, cases: Sequence[Case]) -> list[dict[str, float]]:
    """Return what the view shows, beside an empty name: no vocabulary may be empty."""
    return [{"": 0.0} | dict(view(case)) for case in cases]


def heaviest(
    row: sparse.csr_matrix, by: NDArray[np.float64], names: NDArray[np.str_], count: int
) -> list[str]:
    """Return the names in a row that add most by these weights, at most ``count``; ties by name."""
    dense = row.toarray()[0]
    gains = dense * by
    order = sorted(np.flatnonzero(gains > 0).tolist(), key=lambda i: (-gains[i], names[i]))
    return [str(names[i]) for i in order[:count]]
