"""What a review is made of: plain values that a job gathers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphmind.review.model import Group
from graphmind.review.week import Week

Document = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Repairs:
    """One repair in what the review needs of it."""

    repair_id: str
    incident_id: str
    strategy: str
    operator: str
    state: str
    verdict: str
    """Empty where none was reached."""
    requested_ms: int
    ended_ms: int | None


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """Items that fail together in a week."""

    weights: Mapping[str, int]
    """Failing traces that touch each member, by ``kind name``."""
    failing: int
    """Failing traces that touch at least two."""


@dataclass(frozen=True, kw_only=True)
class Counted:
    """Traces by what they touch."""

    kind: str
    name: str
    traces: float
    failing: float
    kept: int
    """Archived ones, which stand for ``traces``."""


@dataclass(frozen=True, kw_only=True)
class Hour:
    """Traces that began in an hour."""

    at_ms: int
    traces: float
    failing: float


@dataclass(frozen=True, kw_only=True)
class KeyUse:
    """Agents that write and read a key."""

    key: str
    writers: int
    readers: int


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """What was counted over one week."""

    hours: Sequence[Hour] = ()
    counted: Sequence[Counted] = ()
    faults: Mapping[tuple[str, str], float] = field(default_factory=dict)
    """Failing traces by path and outcome."""
    paths: Sequence[Document] = ()
    """As the job ``paths`` finds them."""


@dataclass(frozen=True, kw_only=True)
class Material:
    """All of it, for one week."""

    week: Week
    complete: bool
    incidents: Sequence[Document]
    """Documents of incidents, of any time."""
    seen: Mapping[str, Mapping[int, int]]
    """Failing traces of an incident by the day they began, epoch ms; of those still archived."""
    exposed: Mapping[str, float]
    """Traces of the week that touch the first cause of an incident."""
    repairs: Sequence[Repairs]
    """Live ones of any time, newest first."""
    traffic: Traffic
    before: Traffic
    clusters: Sequence[Cluster]
    groups_before: Sequence[Group]
    """Of the week before."""
    keys: Sequence[KeyUse]
    drifts: Sequence[Document]
    """As the job ``drift`` finds them, against the week before."""
    advices: Sequence[Document]
    """As the job ``rollback_advice`` gives them."""
