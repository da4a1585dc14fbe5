"""A root request, the unit that counts: its attempts and branches merged into one 0 or 1 a metric.

Ten retries of one request fail together; counted one by one they would be ten witnesses. So they
are one request, judged by what is known of it at the moment it counts, whatever comes later.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from graphmind.verification.words import (
    FAILURE,
    FAST_FAILURE,
    GROUPS,
    SLOW,
    Group,
    Metric,
    Unverifiable,
)


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One trace of a request: the first, a retry, or a branch of a fan-out."""

    start_ms: int
    """Epoch ms, as all times here."""
    end_ms: int | None = None
    """None while it runs."""
    failed: bool = False
    """It ended badly: an error, a time-out."""
    wrong_ms: int | None = None
    """When its answer was judged wrong; None where it was not."""
    branch: str = ""
    """Within a branch an attempt stands for those before it; every branch must end well."""


@dataclass(frozen=True, kw_only=True)
class RootRequest:
    """One request as its user sees it. What decides its group is fixed at its start."""

    request_id: str
    group: Group
    stratum: int
    """0..strata-1."""
    slow_ms: float
    """The healthy P95 of its kind."""
    attempts: tuple[Attempt, ...]
    """At least one, in any order."""

    def __post_init__(self) -> None:
        if not self.attempts or self.group not in GROUPS:
            raise Unverifiable(
                f"Request {self.request_id}: expected an attempt at least and a group of {GROUPS}, "
                f"came {len(self.attempts)} and {self.group!r}; leave out what belongs to no group"
            )

    @property
    def start_ms(self) -> int:
        """When its first attempt started."""
        return min(attempt.start_ms for attempt in self.attempts)

    def outcome(self, metric: Metric, at_ms: int) -> bool:
        """Whether it is bad by the metric, as known at that time."""
        standing = list(self._standing(at_ms))
        ends = [attempt.end_ms for attempt in standing]
        done = [end for end in ends if end is not None and end <= at_ms]
        finished = len(done) == len(ends) > 0
        if metric == SLOW:
            return not finished or max(done) - self.start_ms > self.slow_ms
        failed = finished and any(attempt.failed for attempt in standing)
        if metric == FAILURE:
            return failed or not finished
        if metric == FAST_FAILURE:
            return failed
        judged = (attempt.wrong_ms for attempt in standing)
        return finished and any(wrong is not None and wrong <= at_ms for wrong in judged)

    def _standing(self, at_ms: int) -> Iterator[Attempt]:
        """Yield the latest attempt of each branch that had started by then."""
        latest: dict[str, Attempt] = {}
        for attempt in sorted(self.attempts, key=lambda each: each.start_ms):
            if attempt.start_ms <= at_ms:
                latest[attempt.branch] = attempt
        yield from latest.values()

    def document(self) -> dict[str, Any]:
        """Return the request as JSON-ready names and values."""
        attempts = [[a.start_ms, a.end_ms, a.failed, a.wrong_ms, a.branch] for a in self.attempts]
        return {
            "request_id": self.request_id,
            "group": self.group,
            "stratum": self.stratum,
            "slow_ms": self.slow_ms,
            "attempts": attempts,
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Read what ``document`` returned."""
        attempts = tuple(
            Attempt(start_ms=start, end_ms=end, failed=failed, wrong_ms=wrong, branch=branch)
            for start, end, failed, wrong, branch in document["attempts"]
        )
        return cls(**{**document, "attempts": attempts})
