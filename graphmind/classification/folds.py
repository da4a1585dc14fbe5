"""Cross-validation: folds that hold every class, and what a route says of cases it has not seen."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from graphmind.classification.case import Case

FOLDS_MAX: Final = 5
"""Folds (the usual number); fewer where a class has fewer cases."""
CASES_MIN: Final = 4
"""A class with fewer cases is not learned: a fold would leave one or two of it (chosen)."""


def learnable(cases: Sequence[Case]) -> tuple[Case, ...]:
    """Return the cases of classes with enough of them, in their order."""
    counts = Counter(case.label for case in cases)
    return tuple(case for case in cases if counts[case.label] >= CASES_MIN)


def folds_of(cases: Sequence[Case]) -> NDArray[np.int64]:
    """Return the fold of each case, dealt out in turn within each class.

    Cases that say the same share a fold: one of them in the other folds would give it away.
    ``cases`` are as ``in_order`` has them, so that chance, ids and time play no part.
    """
    counts = Counter(case.label for case in cases)
    folds = min(FOLDS_MAX, *counts.values())
    known: defaultdict[str, dict[str, int]] = defaultdict(dict)
    dealt = [
        known[case.label].setdefault(case.digest, len(known[case.label])) % folds for case in cases
    ]
    return np.array(dealt, np.int64)


def macro_f1(truth: Sequence[str], said: Sequence[str]) -> float:
    """Return the mean F1 over the classes of the truth; saying nothing is an empty text."""
    scores = []
    for label in sorted(set(truth)):
        pairs = list(zip(truth, said, strict=True))
        right = sum(a == b == label for a, b in pairs)
        wrong = sum((a == label) != (b == label) for a, b in pairs)
        scores.append(2 * right / (2 * right + wrong))
    return sum(scores) / len(scores) if scores else 0.0
