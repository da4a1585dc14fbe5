"""The record of an effect: what it was like when healthy, in the incident, and after the repair."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from graphmind.verification.history import nearest_rank

BACK_WITHIN: Final = 0.1
"""Of the healthy value, for a figure to be back (S22)."""
RATE_SLACK: Final = 0.01
"""A failure rate is back within this too (chosen: a tenth of 1 % is below what can be counted)."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A root request as far as the record asks."""

    duration_ms: float | None
    """None where it did not end."""
    failed: bool
    """It ended badly or not at all."""
    answered: bool | None = None
    """Whether its callback was answered; None where it has none."""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Figures of one stretch of time. A figure is None where nothing was seen to tell it."""

    requests: int
    failures: int
    unfinished: int
    callbacks: int
    answered: int
    p95_ms: float | None
    """Of durations, nearest rank; None also where so many did not end that it is unknown."""
    failure_rate: float | None
    answer_rate: float | None


@dataclass(frozen=True, kw_only=True)
class Effect:
    """Figures beside each other."""

    healthy: Figures
    before: Figures
    """In the incident."""
    after: Figures

    @property
    def back(self) -> Mapping[str, bool | None]:
        """Whether each figure is back to the healthy one or better; None where nobody can tell."""
        healthy, after = self.healthy, self.after
        return {
            "p95_ms": _low(after.p95_ms, healthy.p95_ms, slack=0.0),
            "failure_rate": _low(after.failure_rate, healthy.failure_rate, slack=RATE_SLACK),
            "answer_rate": _high(after.answer_rate, healthy.answer_rate),
        }

    def document(self) -> dict[str, Any]:
        """Return the record as JSON-ready names and values."""
        return asdict(self) | {"back": dict(self.back)}


def figures_of(requests: Iterable[Seen]) -> Figures:
    """Sum up the requests of one stretch of time."""
    seen = list(requests)
    durations = [one.duration_ms for one in seen if one.duration_ms is not None]
    failures = sum(one.failed for one in seen)
    asked = [one.answered for one in seen if one.answered is not None]
    unfinished = len(seen) - len(durations)
    # What did not end is longer than all that did.
    ranked = nearest_rank(durations + [float("inf")] * unfinished, 0.95)
    return Figures(
        requests=len(seen),
        failures=failures,
        unfinished=unfinished,
        callbacks=len(asked),
        answered=sum(asked),
        p95_ms=None if ranked == float("inf") else ranked,
        failure_rate=failures / len(seen) if seen else None,
        answer_rate=sum(asked) / len(asked) if asked else None,
    )


def _low(now: float | None, usual: float | None, *, slack: float) -> bool | None:
    if now is None or usual is None:
        return None
    return now <= max(usual * (1 + BACK_WITHIN), usual + slack)


def _high(now: float | None, usual: float | None) -> bool | None:
    return None if now is None or usual is None else now >= usual * (1 - BACK_WITHIN)
