"""Every threshold of the verification, with the source of its default."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from graphmind.verification.words import (
    BYSTANDER,
    EXPOSED,
    FAILURE,
    FAST_FAILURE,
    RECIPIENT,
    SLOW,
    WRONG,
    Group,
    Metric,
)

Starts = tuple[tuple[float, float], ...]
"""(seconds after the repair from which starts count, weight)."""
Bets = tuple[tuple[float, float], ...]
"""(odds ratio, weight)."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """Thresholds of the rule. "Simulated": chosen in the design by simulated error rates."""

    wait_s: float = 10.0
    """A request counts at start + this, as it is known then. At least the P99 of the time to
    symptom in the incident (``history.waiting_s``)."""
    wait_fast_s: float = 2.0
    """The same for fast failures."""
    evaluator_delay_s: float = 0.0
    """Wrong answers wait so long, where that is longer: until an evaluator has judged them."""
    grace_s: float = 2.0
    """Requests that start sooner after the repair are dropped: they may have met both worlds."""
    settle_s: float = 30.0
    """Ineffective looks only at starts after this, partly at twice. Simulated: with 2 s, a ramp of
    20 s is called ineffective in 98 % at 200 requests/s."""

    alpha_effective: float = 0.005
    """Half of the budget of 1 %; the other half pays for noise in the history."""
    alpha_ineffective: float = 0.01
    """For both tests together: an error costs one needless repair."""
    alpha_harm: float = 0.005
    """For all harm tests together, since harm rolls back by itself."""
    alpha_guard: float = 0.1
    """Each guard before effective."""
    veto_evidence: float = 20.0
    """A stratum with this much evidence of being above its bound forbids effective."""
    background_evidence: float = 100.0
    """With this much, the bystanders are sick themselves."""
    recovering_evidence: float = 100.0
    """With this much evidence that the rate is below half of the incident's: recovering."""
    hold_nats: float = 3.0
    """A harm test this close to firing holds effective back."""
    matured_min: int = 100
    """Exposed requests that count before effective."""

    effective_starts: Starts = ((2, 0.4), (12, 0.2), (30, 0.3), (60, 0.1))
    """Simulated: a ramp of 20 s at 200/s takes 51 s, 145 s with a single start."""
    harm_starts: Starts = ((2, 0.5), (30, 0.3), (120, 0.2))
    """So that late harm is not diluted by a good beginning."""
    harm_shares: tuple[tuple[Group, Metric, float], ...] = (
        (EXPOSED, FAST_FAILURE, 0.15),
        (EXPOSED, FAILURE, 0.15),
        (EXPOSED, SLOW, 0.1),
        (EXPOSED, WRONG, 0.2),
        (RECIPIENT, FAST_FAILURE, 0.1),
        (RECIPIENT, FAILURE, 0.1),
        (RECIPIENT, SLOW, 0.1),
        (RECIPIENT, WRONG, 0.1),
    )
    """How ``alpha_harm`` is shared out."""
    odds_up: Bets = ((1.4, 0.1), (2, 0.15), (4, 0.15), (10, 0.1))
    """Bets on a rate above the bound; half of the weight is left to the anchored one."""
    odds_down: Bets = ((0.05, 0.1), (0.2, 0.15), (0.4, 0.15), (0.65, 0.1))
    """Bets on a rate below it."""
    pair_bets: tuple[float, ...] = (0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9)
    """Sizes of the bets on pairs, weighted alike."""
    apart_s: float = 5.0
    """Paired requests start at most this far apart."""

    excess_left: float = 0.1
    """Share of the excess that may be left for healthy."""
    healthy_margin_min: float = 0.01
    healthy_margin_max: float = 0.03
    """Keeps the bound tight in an incident of 80 %."""
    none_share: float = 0.5
    """Above this share of the incident's rate nothing was gained, rather than a part."""
    harm_relative: float = 0.25
    harm_margin: float = 0.02
    harm_margin_slow: float = 0.05
    drift: float = 0.03
    """Added to bounds where no control is usable: the background's 99.5 % drift in 5 minutes."""
    control_share_min: float = 0.2
    """Bystanders a second, by exposed ones, from which they are a control."""
    recipient_share_min: float = 0.3
    """Recipients a second, by exposed ones, from which they are a guard."""

    deadline_base_s: float = 90.0
    deadline_min_s: float = 180.0
    deadline_max_s: float = 1800.0
    watch_s: float = 600.0
    """How long an effective repair is watched for a relapse."""
    alpha_watch: float = 0.01
    late_max_s: float = 120.0
    """A request told of so long after its start is not counted any more; ids of counted ones are
    kept for as long, so that none counts twice. Chosen."""

    def wait_of_s(self, metric: Metric) -> float:
        """How long after its start a request counts."""
        judged_s = max(self.wait_s, self.evaluator_delay_s)
        return {FAST_FAILURE: self.wait_fast_s, WRONG: judged_s}.get(metric, self.wait_s)

    def margin_of(self, metric: Metric) -> float:
        """Return the least distance of a harm bound from its reference."""
        return self.harm_margin_slow if metric == SLOW else self.harm_margin

    @property
    def offsets_s(self) -> tuple[float, ...]:
        """Seconds after the repair from which some test counts starts, ascending."""
        starts = (*self.effective_starts, *self.harm_starts)
        rest = {self.grace_s, self.settle_s, 2 * self.settle_s}
        return tuple(sorted({float(start) for start, _ in starts} | rest))

    @property
    def measured(self) -> tuple[tuple[Group, Metric], ...]:
        """What is counted: every group by every metric."""
        treated = tuple((group, metric) for group, metric, _ in self.harm_shares)
        control = tuple((BYSTANDER, metric) for metric in (FAST_FAILURE, FAILURE, SLOW, WRONG))
        return (*treated, *control)

    def document(self) -> dict[str, Any]:
        """Return the options as JSON-ready names and values."""
        return asdict(self)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Read what ``document`` returned, also after a way through JSON."""
        return cls(**{field.name: _frozen(document[field.name]) for field in fields(cls)})


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list | tuple) else value
