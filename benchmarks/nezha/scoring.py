"""How well a ranking names the culprit; tied services share their places."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.nezha.loading import Trial

_TIE = 1e-12


@dataclass(frozen=True)
class Place:
    """Where the culprit stands: after ``ahead`` services, among ``tied`` (itself included)."""

    ahead: int
    tied: int

    def within(self, first: int) -> float:
        """Probability of being among the first, ties broken by chance."""
        return min(1.0, max(0.0, (first - self.ahead) / self.tied))

    def reciprocal(self) -> float:
        """Expected reciprocal of the rank."""
        ranks = range(self.ahead + 1, self.ahead + self.tied + 1)
        return sum(1 / rank for rank in ranks) / self.tied


def place(scores: Mapping[str, float], trial: Trial) -> Place:
    """Find the culprit among all services of the system; one without a score has 0."""
    universe = {*scores, *trial.case.services, trial.case.culprit, *trial.window.services}
    universe.update(*(period.services for period in trial.references))
    own = scores.get(trial.case.culprit, 0.0)
    difference = [scores.get(service, 0.0) - own for service in universe]
    return Place(
        ahead=sum(d > _TIE for d in difference), tied=sum(abs(d) <= _TIE for d in difference)
    )


def figures(places: Sequence[Place]) -> dict[str, float]:
    """Summarise: Acc@1, Acc@3, Acc@5, MRR."""
    cases = len(places)
    found = {f"Acc@{k}": sum(p.within(k) for p in places) / cases for k in (1, 3, 5)}
    return found | {"MRR": sum(p.reciprocal() for p in places) / cases}
