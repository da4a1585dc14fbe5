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
class Fault:
    """Where traces went wrong, and how."""

    path: str
    """Names of spans from the root; that of the module, or empty, where it is not known."""
    outcome: str
    failing: float
    failing_before: float


@dataclass(frozen=True, kw_only=True)
class PathOfWeek:
    """A way through modules on which more traces fail than elsewhere."""

    path: tuple[str, ...]
    """From the root."""
    failing: float
    passed: float
    lift: float
    """Its failing share over that of all traces of the week."""
    failing_before: float | None
    """None where it did not stand out in the week before."""


@dataclass(frozen=True, kw_only=True)
class AgentDrift:
    """An agent that answers otherwise than in the week before."""

    agent: str
    response_shift: float
    """ln of the ratio of the medians; above 0 is slower."""
    branch_shift: float
    """How far the modules it calls differ: Jensen-Shannon divergence, 0 to 1 bit."""
    mean_ms: float
    was_mean_ms: float
    since_ms: int | None
    score: float
    """0 to 1."""


@dataclass(frozen=True, kw_only=True)
class Advice:
    """A model version that fails beyond the base rate, and which earlier one is better."""

    model: str
    leave: str
    go_to: str | None
    """None where no earlier one is sure to fail less."""
    why: str


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
class EvidenceLink:
    """Where a statement can be checked."""

    label: str
    href: str
    """Page of the console."""
    api: str
    question: str
    cypher: str
    parameters: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class DiscussionQuestion:
    """What the meeting should decide, and what it can look at."""

    text: str
    evidence: tuple[EvidenceLink, ...]


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
    questions: tuple[DiscussionQuestion, ...]
    new: tuple[CauseOfWeek, ...]
    recurring: tuple[CauseOfWeek, ...]
    resolved: tuple[CauseOfWeek, ...]
    days: tuple[Day, ...]
    topology: tuple[Group, ...]
    faults: tuple[Fault, ...]
    paths: tuple[PathOfWeek, ...]
    league: tuple[Rank, ...]
    advices: tuple[Advice, ...]
    drifts: tuple[AgentDrift, ...]
    repairs: tuple[RepairOfWeek, ...]
    risks: tuple[Risk, ...]
