"""How well a ranking names the culprit; tied candidates share their places."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

_TIE = 1e-12


@dataclass(frozen=True)
class Place:
    """Where the culprit stands: after ``ahead`` candidates, among ``tied`` (itself included)."""

    ahead: int
    tied: int

    def within(self, first: int) -> float:
        """Probability of being among the first, ties broken by chance."""
        return min(1.0, max(0.0, (first - self.ahead) / self.tied))

    def reciprocal(self) -> float:
        """Expected reciprocal of the rank."""
        ranks = range(self.ahead + 1, self.ahead + self.tied + 1)
        return sum(1 / rank for rank in ranks) / self.tied


def place(scores: Mapping[str, float], culprit: str, others: Iterable[str] = ()) -> Place:
    """Find the culprit among all candidates; one without a score has 0."""
    universe = {*scores, culprit, *others}
    own = scores.get(culprit, 0.0)
    difference = [scores.get(candidate, 0.0) - own for candidate in universe]
    return Place(
        ahead=sum(d > _TIE for d in difference), tied=sum(abs(d) <= _TIE for d in difference)
    )


def figures(places: Sequence[Place]) -> dict[str, float]:
    """Summarise: Acc@1, Acc@3, Acc@5, MRR."""
    cases = len(places)
    found = {f"Acc@{k}": sum(p.within(k) for p in places) / cases for k in (1, 3, 5)}
    return found | {"MRR": sum(p.reciprocal() for p in places) / cases}


def wilson(share: float, cases: int, z: float = 1.96) -> tuple[float, float]:
    """Return the 95 % score interval of a share."""
    centre = share + z * z / (2 * cases)
    spread = z * sqrt(share * (1 - share) / cases + z * z / (4 * cases * cases))
    scale = 1 + z * z / cases
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)
