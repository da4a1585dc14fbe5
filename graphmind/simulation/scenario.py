"""What is asked of the simulator."""

from dataclasses import dataclass
from typing import Final

from graphmind.errors import SettingsError

START_NS: Final = 1_772_442_000 * 10**9
"""2026-03-02 09:00 UTC, a Monday: every simulation starts there unless told otherwise."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One window of a platform's life. The same scenario gives the same bytes."""

    seed: int
    traces: int = 5000
    """Jobs submitted; the resubmissions of failed ones come on top."""
    incidents: int = 3
    kinds: tuple[str, ...] | None = None
    """Incident kinds to plant, used in this order and over again; None draws them."""
    quiet: bool = False
    """Plants nothing, whatever ``incidents`` says."""
    base_rate: float = 0.01
    """Median over the task kinds of the share of jobs that fail of their own accord."""
    minutes: float = 60.0
    regions: int = 3
    task_kinds: int = 16
    strength_spread: float = 0.3
    """Log-normal spread of an incident's strength between kinds of task; 0.8 is hard."""
    hidden: int = 0
    """Incidents on top whose cause no attribute records: the rack a run is placed on."""
    decoys: bool = False
    """At an onset a service is deployed and a new key is read, by all and harming nobody."""
    confounded: bool = False
    """New versions, guilty or not, are rolled out in one region only."""
    effects: bool = False
    """Failed tools leave traces: diagnostics inside the failed call, a fallback tool after it."""
    restless: bool = False
    """Two agents are chronically worse, and twice everything fails more for some minutes."""
    healthy_share: float = 1.0
    """Share of traces without an error that the tail sampler keeps; it states the probability."""
    resubmitted: float = 0.35
    """Share of failed jobs that are submitted again, as a new trace of the same job."""
    late: float = 0.01
    """Share of spans that arrive up to ten minutes late."""
    duplicated: float = 0.002
    """Share of spans that arrive twice."""
    lost: float = 0.001
    """Share of spans that never arrive; their children are orphans."""
    start_ns: int = START_NS

    def __post_init__(self) -> None:
        """Refuse what cannot be simulated. Raises SettingsError."""
        for name, low, high in _LIMITS:
            value = getattr(self, name)
            if not low <= value <= high:
                raise SettingsError(f"{name} should lie in {low:g}..{high:g}, got {value}")

    @property
    def planted(self) -> int:
        """How many incidents the window holds."""
        return 0 if self.quiet else self.incidents


_LIMITS: Final = (
    ("traces", 1, 10**8),
    ("incidents", 0, 20),
    ("base_rate", 0.0, 0.5),
    ("minutes", 1.0, 10_080.0),
    ("regions", 2, 6),
    ("task_kinds", 8, 30),
    ("strength_spread", 0.0, 1.5),
    ("hidden", 0, 4),
    ("healthy_share", 0.01, 1.0),
    ("resubmitted", 0.0, 1.0),
    ("late", 0.0, 1.0),
    ("duplicated", 0.0, 1.0),
    ("lost", 0.0, 1.0),
)
