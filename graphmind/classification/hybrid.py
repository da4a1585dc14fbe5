"""The route by everything known: structure, text and numbers side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.preprocessing import MaxAbsScaler

from graphmind.classification.case import Case
from graphmind.classification.route import Guess, ranked
from graphmind.classification.vectors import TfIdf, heaviest, numbers, structure, words

INVERSE_PENALTY: Final = 10.0
"""Rows are about as long as the number of blocks, so a weak penalty suffices (chosen)."""
SEED: Final = 0
REASON_NAMES: Final = 4
"""Signs that a reason names (chosen)."""


class Stacked:
    """Three blocks of columns: words and tokens by TF-IDF, numbers as shares of their largest."""

    def __init__(self, cases: Sequence[Case]) -> None:
        """Learn the columns that the cases fill."""
        self._texts, self._trees = TfIdf(words, cases), TfIdf(structure, cases)
        self._names, self._scale = DictVectorizer(), MaxAbsScaler()
        known = self._names.fit_transform([dict(numbers(case)) for case in cases])
        self.rows: Final = sparse.hstack(
            [self._texts.rows, self._trees.rows, self._scale.fit_transform(known)], "csr"
        )
        self.names: Final = np.concatenate(
            [
                np.char.add("word ", self._texts.names.astype(str)),
                np.char.add("tree ", self._trees.names.astype(str)),
                self._names.get_feature_names_out().astype(str),
            ]
        )

    def row(self, case: Case) -> sparse.csr_matrix:
        """Return a case in these columns: (1, n_columns) CSR."""
        known = self._scale.transform(self._names.transform([dict(numbers(case))]))
        row: sparse.csr_matrix = sparse.hstack(
            [self._texts.row(case), self._trees.row(case), known], "csr"
        )
        return row


@dataclass(frozen=True, kw_only=True)
class HybridRoute:
    """Logistic regression over the stacked columns."""

    name: str = "hybrid"

    def fit(self, cases: Sequence[Case]) -> "Joined":
        """Learn what each sign adds for each class."""
        stacked = Stacked(cases)
        # Liblinear, one class against the rest: the default solver takes 30 times the CPU time,
        # most of it in BLAS threads that wait for each other (measured on 300 cases).
        one = LogisticRegression(
            C=INVERSE_PENALTY, class_weight="balanced", solver="liblinear", random_state=SEED
        )
        model = OneVsRestClassifier(one).fit(stacked.rows, [case.label for case in cases])
        return Joined(stacked, model)


@dataclass(frozen=True)
class Joined:
    """A linear model over everything known."""

    stacked: Stacked
    model: Any

    def candidates(self, case: Case) -> tuple[Guess, ...]:
        """Return all classes by probability, with the signs that speak most for each."""
        row = self.stacked.row(case)
        shares = np.round(self.model.predict_proba(row)[0], 9)
        weights: NDArray[np.float64] = np.vstack([one.coef_ for one in self.model.estimators_])
        weights = np.vstack([-weights, weights]) if len(weights) == 1 else weights
        return ranked(
            [
                Guess(label=str(label), score=float(share), reason=self._said(row, own))
                for label, share, own in zip(self.model.classes_, shares, weights, strict=True)
            ]
        )

    def _said(self, row: Any, weights: NDArray[np.float64]) -> str:
        heavy = heaviest(row, weights, self.stacked.names, REASON_NAMES)
        return f"signs {', '.join(heavy)}" if heavy else "no sign speaks for it"
