"""Which route is primary: chosen by macro F1 in cross-validation, and when to choose again."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from graphmind.classification.case import Case
from graphmind.classification.folds import CASES_MIN, folds_of, learnable, macro_f1
from graphmind.classification.judge import (
    UNCALIBRATED,
    Calibration,
    Weighed,
    calibrate,
    fit_judge,
)
from graphmind.classification.route import Route

CHANGED_MAX: Final = 0.2
"""Share of the cases that may be new, gone or relabelled before the choice is made again."""
UNKNOWN_SHARE: Final = 0.1
"""Share of incidents whose class no case has, as the calibration assumes it (chosen)."""
DECIMALS: Final = 2
"""F1 closer than this is equal, and the simpler route wins: cases are too few to tell (chosen)."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The primary route, why, and for which cases."""

    route: str
    reason: str
    f1: Mapping[str, float]
    """Macro F1 by route; empty where there were too few cases to compare."""
    classes: tuple[str, ...]
    """Labels of all cases, learned or not, sorted."""
    digests: tuple[str, ...]
    """Of the cases chosen by, sorted."""
    fingerprint: str
    """Of all of these cases together."""
    calibration: Calibration

    def document(self) -> dict[str, Any]:
        """Return the choice as JSON-ready names and values."""
        document: dict[str, Any] = asdict(self)
        return document

    def holds_for(self, cases: Sequence[Case], routes: Sequence[Route]) -> bool:
        """Whether its route is there, and the cases are nearly those it was made by."""
        if self.classes != _classes(cases) or self.route not in {route.name for route in routes}:
            return False
        changed = set(self.digests) ^ {case.digest for case in cases}
        return len(changed) <= CHANGED_MAX * max(len(self.digests), 1)


def choice_from(document: Mapping[str, Any]) -> Choice:
    """Read what ``Choice.document`` wrote."""
    calibration = document["calibration"]
    return Choice(
        **{
            **document,
            "classes": tuple(document["classes"]),
            "digests": tuple(document["digests"]),
            "calibration": Calibration(**{**calibration, "weights": tuple(calibration["weights"])}),
        }
    )


def choose(routes: Sequence[Route], cases: Sequence[Case]) -> Choice:
    """Choose among routes, the simplest first; that one is primary while there are few cases.

    ``cases`` are labelled and ordered by ``in_order``.
    """
    learned = learnable(cases)
    if len(_classes(learned)) < 2:
        reason = f"fewer than two classes have {CASES_MIN} confirmed cases"
        return _choice(routes[0].name, reason, {}, cases, UNCALIBRATED)
    said = {route.name: _out_of_fold(route, learned) for route in routes}
    truth = [case.label for case in learned]
    f1 = {name: round(macro_f1(truth, _labels(own)), 4) for name, own in said.items()}
    primary = max(routes, key=lambda route: round(f1[route.name], DECIMALS))
    strangers = _strangers(primary, learned, cases)
    reason = f"best macro F1 on {len(learned)} cases of {len(_classes(learned))} classes"
    calibration = _calibrated(said[primary.name], truth, strangers)
    return _choice(primary.name, reason, f1, cases, calibration)


def _choice(
    route: str, reason: str, f1: Mapping[str, float], cases: Sequence[Case], found: Calibration
) -> Choice:
    digests = tuple(sorted({case.digest for case in cases}))
    return Choice(
        route=route,
        reason=reason,
        f1=f1,
        classes=_classes(cases),
        digests=digests,
        fingerprint=hashlib.sha256("".join(digests).encode()).hexdigest()[:16],
        calibration=found,
    )


def _classes(cases: Sequence[Case]) -> tuple[str, ...]:
    return tuple(sorted({case.label for case in cases}))


def _out_of_fold(route: Route, cases: Sequence[Case]) -> list[tuple[Weighed, ...]]:
    """Return what the route says of each case when fitted to the other folds."""
    folds = folds_of(cases)
    said: list[tuple[Weighed, ...]] = [()] * len(cases)
    for fold in range(int(folds.max()) + 1):
        judge = fit_judge(route, [cases[i] for i in np.flatnonzero(folds != fold).tolist()])
        for i in np.flatnonzero(folds == fold).tolist():
            said[i] = judge.weigh(cases[i])
    return said


def _strangers(
    route: Route, learned: Sequence[Case], cases: Sequence[Case]
) -> list[tuple[Weighed, ...]]:
    """Return what the route says of cases whose class it has never seen."""
    judge = fit_judge(route, learned)
    taught = _classes(learned)
    said = [judge.weigh(case) for case in cases if case.label not in taught]
    for label in taught if len(taught) > 2 else ():
        others = fit_judge(route, [case for case in learned if case.label != label])
        said += [others.weigh(case) for case in learned if case.label == label]
    return said


def _calibrated(
    known: Sequence[tuple[Weighed, ...]],
    truth: Sequence[str],
    strangers: Sequence[tuple[Weighed, ...]],
) -> Calibration:
    """Calibrate on first candidates; those of unknown classes count as UNKNOWN_SHARE of all."""
    firsts = [(own[0], label) for own, label in zip(known, truth, strict=True) if own]
    odd = [own[0] for own in strangers if own]
    weighed = [first for first, _ in firsts] + odd
    if not weighed:
        return UNCALIBRATED
    right = [first.guess.label == label for first, label in firsts] + [False] * len(odd)
    each = UNKNOWN_SHARE / (1 - UNKNOWN_SHARE) * len(known) / max(len(strangers), 1)
    return calibrate(
        np.array([first.signs for first in weighed]),
        np.array(right),
        np.array([1.0] * len(firsts) + [each] * len(odd)),
    )


def _labels(said: Sequence[tuple[Weighed, ...]]) -> list[str]:
    return [own[0].guess.label if own else "" for own in said]
