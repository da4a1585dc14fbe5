"""What a review is: frozen, and the same JSON document everywhere.

Counts of traces are as their weights estimate; times are epoch ms; shares are 0..1.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class CauseOfWeek:
    """Incidents of one cause, and how it fared in the week."""

    cause: str
    symptom: str
    incident_ids: tuple[str, ...]
    """Newest first; of a resolved cause those of the week before."""
    state: str
    """Of the newest."""
    confidence: float
    failing: int
    failing_before: int
    """Failing traces that it explains, in the week and in the one before."""
    days: tuple[int, ...]
    """``failing`` by day, Monday first."""
    weeks: tuple[str, ...]
    """All weeks in which it was seen, up to this one."""
    repair: str
    """Verdict of its newest repair, the state of one without; empty where there is none."""
    exposed: float | None
    """Traces of this week that touch it; None where that was not asked."""
    said: str


@dataclass(frozen=True, kw_only=True)
class Group:
    """A community: what failing traces touch together more often than by chance."""

    group_id: str
    name: str
    """After its strongest member when it was first seen; it stays."""
    standing: str
    """new, same, changed or gone."""
    failing: int
    failing_before: int
    members: tuple[str, ...]
    """``kind name``, sorted; empty when it is gone."""
    joined: tuple[str, ...]
    left: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class FailingPath:
    """A way from the root to where traces went wrong."""

    path: str
    module: str
    outcome: str
    failing: float
    failing_before: float
    p95_ms: float | None


@dataclass(frozen=True, kw_only=True)
class Rank:
    """How a version or a region fares beside the others of its kind."""

    kind: str
    name: str
    traces: float
    failing: float
    share: float
    low: float
    high: float
    """Wilson's 95 % interval, of as many traces as were archived."""
    share_before: float | None
    trend: str
    """worse or better where the intervals of the two weeks do not touch, same where they do, new.
    """


@dataclass(frozen=True, kw_only=True)
class RepairOfWeek:
    """A live repair that was asked for in the week."""

    repair_id: str
    incident_id: str
    cause: str
    strategy: str
    operator: str
    state: str
    verdict: str
    requested_ms: int
    effect_s: float | None
    """From the request to the verdict."""
    saved_s: float | None
    """None where it cannot be estimated."""
    why: str
    """How that was estimated, or why not."""


@dataclass(frozen=True, kw_only=True)
class Risk:
    """What did not fail, and would take much with it."""

    kind: str
    """busy key or single point."""
    name: str
    traces: float | None
    share: float | None
    writers: int | None
    readers: int | None
    said: str


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Where a statement can be checked."""

    label: str
    href: str
    """Page of the console."""
    api: str
    question: str
    cypher: str
    parameters: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Question:
    """What the meeting should decide, and what it can look at."""

    text: str
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, kw_only=True)
class Day:
    """One day of traffic."""

    day: str
    traces: float
    failing: float
    hours: tuple[float | None, ...]
    """Failing share of its 24 hours; None where nothing began."""


@dataclass(frozen=True, kw_only=True)
class Review:
    """The review of one week."""

    week: str
    since_ms: int
    until_ms: int
    complete: bool
    """Whether the week was over when it was written."""
    headline: str
    traces: float
    failing: float
    traces_before: float
    failing_before: float
    incidents: int
    known_since_ms: int | None
    """First onset known: what was earlier cannot recur."""
    saved_s: float | None
    questions: tuple[Question, ...]
    new: tuple[CauseOfWeek, ...]
    recurring: tuple[CauseOfWeek, ...]
    resolved: tuple[CauseOfWeek, ...]
    days: tuple[Day, ...]
    topology: tuple[Group, ...]
    paths: tuple[FailingPath, ...]
    league: tuple[Rank, ...]
    repairs: tuple[RepairOfWeek, ...]
    risks: tuple[Risk, ...]
