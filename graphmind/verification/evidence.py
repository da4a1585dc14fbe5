"""Evidence that may be looked at any time: e-processes of one stream and of pairs, and mixtures.

An e-process is at most 1 in the mean while its null hypothesis holds, however it is peeked at, so
it ever reaches 1/alpha with probability alpha at most. All here are natural logarithms of it.

Arrays have the strata first, ``(strata, ...)``; the further axes are runs side by side (none in
production, many in a simulation). What comes back has the further axes alone.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
WILSON_Z: Final = 2.33
"""A one-sided limit of 99 %."""


class Stream(NamedTuple):
    """Requests that counted, and the bad ones among them."""

    n: NDArray[Any]
    """(strata, ...)."""
    bad: NDArray[Any]


class Pairs(NamedTuple):
    """Pairs of one request of a group and one bystander that started about the same time."""

    n: NDArray[Any]
    """(strata, ...)."""
    only_own: NDArray[Any]
    """Only the group's request was bad."""
    only_control: NDArray[Any]

    def swapped(self) -> "Pairs":
        """Return the pairs seen from the control, for the reverse null hypothesis."""
        return Pairs(self.n, self.only_control, self.only_own)


class Bet(NamedTuple):
    """An odds ratio to bet on; below 1 it bets on a rate below the bound."""

    odds: Floats
    """(...)."""
    weight: float


def bets(grid: Sequence[tuple[float, float]], *, share: float = 1.0) -> tuple[Bet, ...]:
    """Make bets of (odds ratio, weight); the weights are multiplied by ``share``."""
    return tuple(Bet(np.asarray(odds, float), weight * share) for odds, weight in grid)


def anchored(
    expected: Floats, bound: Floats, grid: Sequence[tuple[float, float]]
) -> tuple[Bet, ...]:
    """Put half of the weight on the odds ratio of the expected rate to the bound; both (...)."""
    odds = expected * (1 - bound) / (bound * (1 - expected))
    return (Bet(odds, 0.5), *bets(grid))


def log_e(stream: Stream, bound: Floats, grid: Sequence[Bet]) -> Floats:
    """Return the evidence of one stream against a bound of its rate, (strata, ...).

    Bets below 1 are against rate >= bound, those above 1 against rate <= bound. It holds for the
    running average of a rate that varies.
    """
    total = stream.bad.sum(axis=0)
    terms = [
        np.log(weight)
        + np.log(odds) * total
        - (stream.n * np.log1p((odds - 1) * bound)).sum(axis=0)
        for odds, weight in grid
    ]
    return mixed(terms)


def log_pair(pairs: Pairs, difference: Floats, sizes: Sequence[float]) -> Floats:
    """Return the evidence against: the rate exceeds the control's by the difference at most.

    ``difference`` is (strata, ...), within (-1, 1). Whatever raises both rates alike, in whatever
    course, is no evidence.
    """
    alike = pairs.n - pairs.only_own - pairs.only_control
    size = np.reshape(np.asarray(sizes, float), (-1, *(1,) * difference.ndim))
    stake = size / (1 + difference.max(axis=0))
    gain = (
        pairs.only_own * np.log1p(stake * (1 - difference))
        + pairs.only_control * np.log1p(-stake * (1 + difference))
        + alike * np.log1p(-stake * difference)
    )
    total: Floats = np.logaddexp.reduce(gain.sum(axis=1), axis=0) - np.log(len(sizes))
    return total


def mixed(terms: Sequence[Any]) -> Floats:
    """Return the logarithm of the sum; each term has the logarithm of its weight in it."""
    total: Floats = np.logaddexp.reduce(np.stack(np.broadcast_arrays(*terms)), axis=0)
    return total


def wilson(rate: Floats, n: Floats, z: float = WILSON_Z) -> Floats:
    """Return Wilson's limit of a measured rate: the upper one for z > 0, the lower for z < 0."""
    root = np.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    return (rate + z * z / (2 * n) + z * root) / (1 + z * z / n)
