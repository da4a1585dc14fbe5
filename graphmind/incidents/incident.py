"""What an incident is: frozen, and the same JSON document everywhere."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Item:
    """One thing that traces touch."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, kw_only=True)
class NamedCause:
    """A cause of an incident with its evidence; counts are of traces, weighted where sampled.

    They are of all traces of the window that touch it, whatever explains them; ``trace_ids`` of
    the incident are those that it explains.
    """

    rank: int
    role: str
    """root, critical or impact."""
    kind: str
    label: str
    """The items in words, joined by ``+``."""
    all_of: tuple[Item, ...]
    tied: tuple[tuple[Item, ...], ...]
    """Alternatives that the data cannot tell from it."""
    confidence: float
    risk_ratio: float
    risk_ratio_low: float
    failed_with: float
    """Failing in its channel, the attempts of one job counted once."""
    failed_total: float
    passed_with: float
    passed_total: float
    q_value: float
    onset_ms: int
    until_ms: int
    bounded: bool
    """Active from onset to until only, not whenever the items are touched."""
    rivals: tuple[dict[str, Any], ...]
    """Other explanations of the same failures: items, and how many nats worse they are."""


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What fails because of the cause, and is not the cause."""

    role: str
    """critical: where the traces go wrong; impact: who fails only together with the cause."""
    kind: str
    name: str
    failing: float
    """Traces of the incident that go wrong there or touch it, weighted where sampled."""
    share: float
    """critical: of the incident's traces; impact: of all traces that touch it."""


@dataclass(frozen=True, kw_only=True)
class NearChange:
    """A change shortly before the onset: what it changed, and when."""

    kind: str
    """deploy, config, flag, migration, release, or `first seen` where only telemetry shows it."""
    target: str
    at_ms: int
    before_onset_ms: int
    of_cause: bool
    """It changed what the cause names; else it is only near in time."""
    author: str | None
    summary: str


@dataclass(frozen=True, kw_only=True)
class Place:
    """A service whose own work differs most from fault-free periods, with the evidence."""

    service: str
    operation: str
    score: float
    """In multiples of the wobble between fault-free periods."""
    evidence: str


@dataclass(frozen=True, kw_only=True)
class Where:
    """Where the traces of an incident depart from fault-free periods."""

    places: tuple[Place, ...]
    """Most suspect first; one, or three where the evidence is weak."""
    weak: bool
    reference_periods: int
    """Fault-free periods compared with; 0: healthy traces of the same window."""


@dataclass(frozen=True, kw_only=True)
class Reach:
    """What the cause touches in the window, failing or not: who else is exposed."""

    traces: int
    failing: int
    """Of those, with any symptom; the others are exposed and still healthy."""
    last_ms: int | None
    """Start of the last trace that touched it; None without a cause."""
    tasks: tuple[str, ...]
    agents: tuple[str, ...]
    regions: tuple[str, ...]
    written_keys: tuple[str, ...]
    """Keys whose value the cause wrote or is."""


@dataclass(frozen=True, kw_only=True)
class Incident:
    """Failing traces that belong together: where, what, how, since when, who else."""

    incident_id: str
    title: str
    state: str
    severity: str
    cluster_id: str
    symptom: str
    channels: tuple[str, ...]
    root_module: str | None
    root_module_share: float
    """Share of its traces that went wrong in that module."""
    root_path: str
    """Steps from the root to where it goes wrong there, joined by `` > ``; may be empty."""
    root_span: dict[str, str]
    """``trace_id`` and ``span_id`` of the first that went wrong so; may be empty."""
    error_codes: dict[str, int]
    onset_ms: int
    opened_ms: int
    confidence: float
    trace_ids: tuple[str, ...]
    """Failing traces that its causes explain best, with all failing attempts of their jobs; sorted.

    They differ from the ``failed_with`` of a cause: that counts what touches it, also traces that
    another cause, or chance, explains better.
    """
    examples: tuple[str, ...]
    survivors: tuple[str, ...]
    """Traces that touched the cause and stayed healthy."""
    causes: tuple[NamedCause, ...]
    effects: tuple[Effect, ...]
    """Critical failures, then impact."""
    changes: tuple[NearChange, ...]
    """Those of the cause first, then the nearest in time."""
    where: Where | None
    """None where nothing was there to compare with."""
    task_count: int
    agent_count: int
    region_count: int
    unexplained_share: float
    reach: Reach
    absorbed: tuple[str, ...] = ()
    """Ids of earlier incidents that turned out to be part of it."""
    split_from: str | None = None
    """Id of the earlier incident that it was part of."""

    def document(self) -> dict[str, Any]:
        """Return the incident as JSON-ready names and values."""
        document: dict[str, Any] = asdict(self)
        return document
