"""The relapse watch after an effective repair: Shiryaev-Roberts over a bounded time.

Each bet's statistic starts anew every second and grows with the evidence that the rate is above the
healthy bound. Its mean while all is well is the number of seconds, so by Doob's inequality it ever
reaches watch / alpha with probability alpha at most.
"""

from collections.abc import Mapping
from math import log
from typing import Any, Final

import numpy as np

from graphmind.verification.bounds import Bounds
from graphmind.verification.evidence import Floats, mixed

STEP_S: Final = 1.0
"""The watch is as long in steps as in seconds, so it takes a step a second at most."""


class Watch:
    """The statistic so far, and the counts since its last step."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._grown = np.full(len(bounds.toward_sick), -np.inf)
        self._n = np.zeros(len(bounds.history.mix))
        self._bad = np.zeros(len(bounds.history.mix))
        self._stepped_s = -np.inf

    def count(self, stratum: int, *, bad: bool) -> None:
        """Count an exposed request that matured, by the primary metric."""
        self._n[stratum] += 1
        self._bad[stratum] += bad

    def step(self, now_s: float) -> None:
        """Take the counts in, if a second has passed."""
        if now_s - self._stepped_s < STEP_S:
            return
        self._grown = grow(self._grown, self._n, self._bad, self._bounds)
        self._n, self._bad = np.zeros_like(self._n), np.zeros_like(self._bad)
        self._stepped_s = now_s

    @property
    def evidence(self) -> float:
        """Return the nats above the threshold; the alarm is at 0."""
        return float(above_threshold(self._grown, self._bounds))

    def document(self) -> dict[str, Any]:
        """Return the state as JSON-ready names and values."""
        return {
            "grown": [None if value == -np.inf else value for value in self._grown.tolist()],
            "n": self._n.tolist(),
            "bad": self._bad.tolist(),
            "stepped_s": None if self._stepped_s == -np.inf else self._stepped_s,
        }

    def restore(self, document: Mapping[str, Any]) -> None:
        """Take up what ``document`` returned."""
        self._grown = np.array([-np.inf if v is None else v for v in document["grown"]])
        self._n, self._bad = np.array(document["n"]), np.array(document["bad"])
        stepped = document["stepped_s"]
        self._stepped_s = -np.inf if stepped is None else stepped


def grow(grown: Floats, n: Floats, bad: Floats, bounds: Bounds) -> Floats:
    """Return the statistics a step later, (bets, ...); ``n`` and ``bad`` are (strata, ...)."""
    healthy = bounds.healthy[bounds.primary]
    steps = [
        np.log(odds) * bad.sum(axis=0) - (n * np.log1p((odds - 1) * healthy)).sum(axis=0)
        for odds, _ in bounds.toward_sick
    ]
    later: Floats = np.logaddexp(grown, 0.0) + np.stack(np.broadcast_arrays(*steps))
    return later


def above_threshold(grown: Floats, bounds: Bounds) -> Floats:
    """Return the nats of the mixture above the threshold, (...)."""
    weighted = [
        np.log(bet.weight) + one for bet, one in zip(bounds.toward_sick, grown, strict=True)
    ]
    options = bounds.options
    threshold = log(options.watch_s / options.alpha_watch)
    return mixed(weighted) - threshold
