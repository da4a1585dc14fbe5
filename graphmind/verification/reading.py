"""What a verification says at a moment: verdict, remedy, numbers, and reasons in words."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from graphmind.verification.bounds import Bounds
from graphmind.verification.rule import Counts, Signals
from graphmind.verification.words import BYSTANDER, EXPOSED, RECIPIENT, Remedy, Verdict

NATS_MAX: Final = 1e6
"""Stands for infinite evidence in documents."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One look at a verification."""

    verdict: Verdict
    recovering: bool
    """Interim, for people: the rate is proven below half of the incident's. Once said it stays
    so until a verdict of harm or relapse."""
    remedy: Remedy
    since_ms: int
    """When the verdict was first given; of an open one, when the repair was done."""
    at_ms: int
    eta_s: float | None
    """Until the traffic that a full recovery takes to be proven has come, about; None once it has
    come, or if none comes."""
    reasons: tuple[str, ...]
    numbers: Mapping[str, float]
    """Counts, rates, bounds and evidence; evidence is in nats above its threshold."""

    def document(self) -> dict[str, Any]:
        """Return the reading as JSON-ready names and values."""
        return asdict(self) | {"reasons": list(self.reasons), "numbers": dict(self.numbers)}


def remedy_of(verdict: Verdict, bounds: Bounds) -> Remedy:
    """Return what a verdict calls for."""
    if verdict is Verdict.HARMFUL:
        return Remedy.ROLL_BACK if bounds.control_exists else Remedy.PAGE
    return {
        Verdict.OPEN: Remedy.WAIT,
        Verdict.NONE: Remedy.OFFER_ROLL_BACK,
        Verdict.PARTIAL: Remedy.OFFER_ROLL_BACK,
        Verdict.RELAPSED: Remedy.REOPEN,
    }.get(verdict, Remedy.KEEP)


def numbers_of(signals: Signals, counts: Counts, bounds: Bounds) -> dict[str, float]:
    """Return the numbers behind a verdict, by name."""
    metric, grace_s = bounds.primary, bounds.options.grace_s
    found: dict[str, float] = {}
    for group in (EXPOSED, RECIPIENT, BYSTANDER):
        stream = counts.stream(group, metric, grace_s)
        n, bad = int(stream.n.sum()), int(stream.bad.sum())
        found |= {f"{group}_n": n, f"{group}_bad": bad}
        if n:
            found[f"{group}_rate"] = bad / n
    found["pairs"] = int(counts.pairs(EXPOSED, metric, grace_s).n.sum())
    mix, history = bounds.history.mix, bounds.history
    found |= {
        "rate_healthy": _mean(mix, history.healthy[EXPOSED, metric]),
        "rate_incident": _mean(mix, history.incident[metric]),
        "bound_healthy": _mean(mix, bounds.healthy[metric]),
        "bound_nothing": _mean(mix, bounds.nothing[metric]),
        "needed_n": float(bounds.needed),
        "deadline_s": float(bounds.deadline_s),
        "evidence_effective": _finite(signals.effective),
        "evidence_none": _finite(signals.none),
        "evidence_partial": _finite(signals.partial),
        "evidence_recovering": _finite(signals.recovering),
        "evidence_harm": _finite(signals.harmful),
    }
    return found


def eta_s(counts: Counts, bounds: Bounds, elapsed_s: float) -> float | None:
    """Return the seconds until enough exposed requests have counted, at the rate they come."""
    options, metric = bounds.options, bounds.primary
    n = int(counts.stream(EXPOSED, metric, options.grace_s).n.sum())
    counted_s = elapsed_s - options.grace_s - options.wait_of_s(metric)
    # Until something can have counted for a while, the expected rate is the better guess.
    rate = n / counted_s if counted_s >= options.settle_s else bounds.traffic.exposed
    left = float(bounds.needed) - n
    if left <= 0 or not rate:
        return None
    return left / rate + max(-counted_s, 0.0)


def reasons_of(
    verdict: Verdict, signals: Signals, counts: Counts, bounds: Bounds
) -> tuple[str, ...]:
    """Say why the verdict is what it is."""
    if verdict is Verdict.HARMFUL:
        return _harms(signals)
    if verdict is Verdict.INCONCLUSIVE:
        return _obstacles(signals, counts, bounds)
    if verdict is Verdict.OPEN:
        return _missing(signals)
    metric, history = bounds.primary, bounds.history
    stream = counts.stream(EXPOSED, metric, bounds.options.grace_s)
    was = _percent(_mean(history.mix, history.incident[metric]))
    now = _percent(float(stream.bad.sum()) / max(int(stream.n.sum()), 1))
    rate = f"{metric} of exposed requests: {now} since the repair, {was} in the incident"
    bound = _percent(_mean(history.mix, bounds.healthy[metric]))
    return {
        Verdict.EFFECTIVE: (rate, f"proven below {bound}, nothing else harmed"),
        Verdict.NONE: (rate, "proven above half of what it was, the background apart"),
        Verdict.PARTIAL: (rate, f"proven above {bound}, the background apart, yet clearly lower"),
        Verdict.RELAPSED: (rate, f"was proven below {bound}, and is above it again"),
        Verdict.CONFIRMED: (rate, f"stayed healthy for {bounds.options.watch_s:.0f} s"),
    }[verdict]


def _harms(signals: Signals) -> tuple[str, ...]:
    fired = [key for key, nats in signals.harm.items() if nats >= 0]
    return tuple(f"{metric} of {group} requests is proven worse" for group, metric in fired)


def _obstacles(signals: Signals, counts: Counts, bounds: Bounds) -> tuple[str, ...]:
    n = int(counts.stream(EXPOSED, bounds.primary, bounds.options.grace_s).n.sum())
    found = []
    if n < float(bounds.needed):
        found.append(
            f"low traffic: {n} exposed requests counted, {float(bounds.needed):.0f} needed"
        )
    if signals.background >= 0:
        found.append("bystanders sick: the background is disturbed by something else")
    if not bounds.control_usable:
        found.append("control small: too few bystanders to compare with")
    found += _unproven(signals, counts, bounds)
    return tuple(found) or ("between bounds: neither proven healthy nor proven ill",)


def _unproven(signals: Signals, counts: Counts, bounds: Bounds) -> Iterator[str]:
    """Say of each proof that is missing how far it is."""
    for (group, metric), nats in signals.proofs.items():
        if nats >= 0:
            continue
        stream = counts.stream(group, metric, bounds.options.grace_s)
        now = _percent(float(stream.bad.sum()) / max(int(stream.n.sum()), 1))
        told = f"between bounds: {metric} of {group} requests is {now} since the repair"
        if group == EXPOSED and bounds.sick[metric]:
            bound = _percent(_mean(bounds.history.mix, bounds.healthy[metric]))
            yield f"{told}, which is not proven to be below {bound}"
        else:
            yield f"{told}, which is not proven to be unharmed"


def _missing(signals: Signals) -> tuple[str, ...]:
    found = [
        f"not yet proven: {group}/{metric}"
        for (group, metric), nats in signals.proofs.items()
        if nats < 0
    ]
    if signals.harmful > -signals.hold_nats:
        found.append("held back: a sign of harm is near its threshold")
    return tuple(found)


def _mean(mix: np.ndarray, rates: np.ndarray) -> float:
    return float(mix @ rates)


def _percent(rate: float) -> str:
    return f"{100 * rate:.1f} %"


def _finite(nats: np.ndarray) -> float:
    return float(np.clip(nats, -NATS_MAX, NATS_MAX))
