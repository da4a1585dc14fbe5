"""A fitted route with a second opinion: how sure it may be, and how well it knows such cases."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from graphmind.classification.case import Case
from graphmind.classification.neighbours import Known
from graphmind.classification.route import Fitted, Guess, Route
from graphmind.classification.vectors import everything

SIGNS: Final = 4
"""Score, lead over the next candidate, familiarity, share of the class with such a cause."""
RIDGE: Final = 0.05
"""Pull of the calibration's weights to 0; keeps few cases from making it certain (chosen)."""
RIGHT_SHARE: Final = 0.9
"""Of the answers given, this share shall be right (chosen).

Measured: at 0.95 no more unknown classes were met with silence, and with the cause hidden a third
as many known ones were answered.
"""
EVEN: Final = 0.5
"""No answer less likely right than wrong."""


@dataclass(frozen=True, kw_only=True)
class Weighed:
    """A candidate and the signs that say how sure it is."""

    guess: Guess
    signs: tuple[float, float, float, float]


@dataclass(frozen=True)
class Judge:
    """A route fitted to cases, and those cases to compare with."""

    fitted: Fitted
    known: Known
    usual: dict[str, float]
    """By class, how alike a case of it usually is to the nearest other one."""

    def weigh(self, case: Case) -> tuple[Weighed, ...]:
        """Return the route's candidates in its order, each with its signs."""
        guesses = self.fitted.candidates(case)
        similarity = self._nearest(case)
        return tuple(
            Weighed(
                guess=guess,
                signs=(
                    guess.score,
                    guess.score - _best_other(guesses, guess),
                    self._familiarity(guess.label, similarity),
                    self._agreement(guess.label, case),
                ),
            )
            for guess in guesses
        )

    def _nearest(self, case: Case) -> dict[str, float]:
        similarities = self.known.similarities(case)
        nearest: dict[str, float] = {}
        for known, similarity in zip(self.known.cases, similarities.tolist(), strict=True):
            nearest[known.label] = max(nearest.get(known.label, 0.0), similarity)
        return nearest

    def _familiarity(self, label: str, nearest: dict[str, float]) -> float:
        """Return how alike the nearest case of a class is, against what is usual in the class."""
        return min(nearest.get(label, 0.0) / max(self.usual.get(label, 1.0), 0.05), 1.5)

    def _agreement(self, label: str, case: Case) -> float:
        """Return the share of the known cases of a class whose cause is of the same kinds."""
        own = [
            known.cause_kinds == case.cause_kinds
            for known in self.known.cases
            if known.label == label
        ]
        return sum(own) / max(len(own), 1)


def fit_judge(route: Route, cases: Sequence[Case]) -> Judge:
    """Fit a route to labelled cases, ordered by ``in_order``."""
    known = Known(everything, cases)
    return Judge(route.fit(cases), known, _usual(known))


def _usual(known: Known) -> dict[str, float]:
    alike = known.within()
    labels = np.array([case.label for case in known.cases])
    np.fill_diagonal(alike, 0.0)
    usual = {}
    for label in sorted(set(labels.tolist())):
        own = np.flatnonzero(labels == label)
        usual[label] = float(np.median(alike[np.ix_(own, own)].max(axis=1)))
    return usual


def _best_other(guesses: Sequence[Guess], own: Guess) -> float:
    return max((guess.score for guess in guesses if guess is not own), default=0.0)


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """What turns signs into a confidence, and the confidence below which nothing is said."""

    weights: tuple[float, ...]
    """Of the signs, none negative; empty where a score stands for itself."""
    offset: float
    threshold: float

    def confidence(self, signs: Sequence[float]) -> float:
        """Return the probability that a candidate with these signs is right."""
        if not self.weights:
            return signs[0]
        return float(expit(self.offset + float(np.dot(self.weights, signs))))


UNCALIBRATED: Final = Calibration(weights=(), offset=0.0, threshold=0.5)
"""Of rules without cases to check them by: as sure as the rule says, silent below even odds."""


def calibrate(
    signs: NDArray[np.float64], right: NDArray[np.bool_], weight: NDArray[np.float64]
) -> Calibration:
    """Fit a logistic curve (Platt 1999) with weights of the signs that are not negative.

    ``signs`` (n, SIGNS) of first candidates, whether each was right, and how much it counts.
    """
    share = weight / weight.sum()

    def loss(at: NDArray[np.float64]) -> float:
        odds = np.where(right, 1, -1) * (at[0] + signs @ at[1:])
        return float(share @ np.logaddexp(0, -odds)) + RIDGE / len(signs) * float(at[1:] @ at[1:])

    bounds = [(None, None)] + [(0.0, None)] * SIGNS
    found = minimize(loss, np.zeros(SIGNS + 1), method="L-BFGS-B", bounds=bounds)
    offset, *weights = np.round(found.x, 4).tolist()
    fitted = Calibration(weights=tuple(weights), offset=offset, threshold=0.0)
    sure = np.array([fitted.confidence(row) for row in signs.tolist()])
    return Calibration(
        weights=tuple(weights), offset=offset, threshold=_threshold(sure, right, share)
    )


def _threshold(
    sure: NDArray[np.float64], right: NDArray[np.bool_], share: NDArray[np.float64]
) -> float:
    """Return the lowest confidence seen from which on enough of the answers are right; 1 if none.

    Below the lowest seen nothing was ever checked, so nothing is said there.
    """
    for least in sorted({float(value) for value in sure if value >= EVEN}):
        answered = sure >= least
        if (share * right)[answered].sum() >= RIGHT_SHARE * share[answered].sum():
            return float(np.floor(least * 1e4) / 1e4)
    return 1.0
