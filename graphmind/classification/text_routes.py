"""The routes by log text: TF-IDF with a linear support vector machine, and with boosted trees."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.svm import LinearSVC

from graphmind.classification.case import Case
from graphmind.classification.route import Guess, ranked
from graphmind.classification.vectors import TfIdf, heaviest, words

REASON_WORDS: Final = 4
"""Words that a reason names (chosen)."""
SEED: Final = 0
SHARPNESS: Final = 4.0
"""Distances are about 1 at most, too even for shares as they are (chosen; calibrated later)."""


@dataclass(frozen=True, kw_only=True)
class SvmRoute:
    """Linear support vector machine, one class against the rest."""

    name: str = "text, linear SVM"

    def fit(self, cases: Sequence[Case]) -> "Worded":
        """Learn which words speak for a class."""
        vectors = TfIdf(words, cases)
        model = LinearSVC(class_weight="balanced", random_state=SEED)
        model.fit(vectors.rows, [case.label for case in cases])
        weights = model.coef_
        # Of two classes there is one row, that of the second.
        weights = np.vstack([-weights, weights]) if len(weights) == 1 else weights
        return Worded(vectors, list(model.classes_), weights, lambda row: _odds(model, row))


def _odds(model: LinearSVC, row: Any) -> NDArray[np.float64]:
    """Return shares of 1 by class that grow with the distance from the boundary."""
    margins = model.decision_function(row)
    margins = np.column_stack([-margins, margins]) if margins.ndim == 1 else margins
    powers = np.exp(SHARPNESS * (margins[0] - margins[0].max()))
    odds: NDArray[np.float64] = powers / powers.sum()
    return odds


@dataclass(frozen=True, kw_only=True)
class BoostingRoute:
    """Gradient-boosted trees over the same words."""

    trees: int = 40
    """Rounds; a tree for each class in each (chosen: time grows with it)."""
    name: str = "text, gradient boosting"

    def fit(self, cases: Sequence[Case]) -> "Worded":
        """Learn which words together speak for a class."""
        vectors = TfIdf(words, cases)
        model = GradientBoostingClassifier(
            n_estimators=self.trees,
            learning_rate=0.2,
            max_depth=3,
            subsample=0.8,
            max_features="sqrt",
            random_state=SEED,
        )
        model.fit(vectors.rows, [case.label for case in cases])
        classes = list(model.classes_)
        weights = np.tile(model.feature_importances_, (len(classes), 1))
        return Worded(vectors, classes, weights, lambda row: model.predict_proba(row)[0])


@dataclass(frozen=True)
class Worded:
    """A classifier over words; unknown words say nothing, and none known gives no candidate."""

    vectors: TfIdf
    classes: list[str]
    weights: NDArray[np.float64]
    """What a word adds for a class: (n_classes, n_words)."""
    shares: Callable[[Any], NDArray[np.float64]]

    def candidates(self, case: Case) -> tuple[Guess, ...]:
        """Return all classes by their share, with the words that speak most for each."""
        row = self.vectors.row(case)
        if not row.nnz:
            return ()
        shares, names = np.round(self.shares(row), 9), self.vectors.names
        return ranked(
            [
                Guess(label=str(label), score=float(share), reason=_said(row, weights, names))
                for label, share, weights in zip(self.classes, shares, self.weights, strict=True)
            ]
        )


def _said(row: Any, weights: NDArray[np.float64], names: NDArray[np.str_]) -> str:
    heavy = heaviest(row, weights, names, REASON_WORDS)
    return f"words {', '.join(map(repr, heavy))}" if heavy else "no word speaks for it"
