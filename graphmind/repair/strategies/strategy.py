"""What a strategy is: frozen, as its file says it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from graphmind.repair.model import Level
from graphmind.repair.strategies.actions import RECORDS

Severity = Literal["info", "warn", "critical"]
SEVERITIES: Final[tuple[Severity, ...]] = ("info", "warn", "critical")
"""Least first."""


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """A measured value above or below a number."""

    metric: str
    above: bool
    inclusive: bool
    number: float
    """Durations in ms, shares 0..1, anything else as it is measured."""
    written: str

    def holds(self, value: float) -> bool:
        """Say whether a value is on the right side."""
        if value == self.number:
            return self.inclusive
        return (value > self.number) is self.above


@dataclass(frozen=True, kw_only=True)
class Condition:
    """What must be so. All of what is named must hold; of the values of one field any may."""

    root_cause: tuple[str, ...] = ()
    """``kind`` or ``kind:name`` of an item of the first cause; ``*`` stands for any text."""
    cause_class: tuple[str, ...] = ()
    """Classes of the classifier's verdict."""
    module: tuple[str, ...] = ()
    error_code: tuple[str, ...] = ()
    symptom: tuple[str, ...] = ()
    level: Severity | None = None
    """The incident is at least so severe."""
    metrics: tuple[Threshold, ...] = ()
    all_of: tuple["Condition", ...] = ()
    any_of: tuple["Condition", ...] = ()


@dataclass(frozen=True, kw_only=True)
class Action:
    """One step, before names are put in for ``{model}`` and the like."""

    action: str
    target: str
    params: Mapping[str, Any] = field(default_factory=dict)
    connector: str | None = None
    """Name or kind of a configured connector; None: the one that offers the action."""
    optional: bool = False
    """Left out where a name has no value, no connector offers it, or it is refused when run."""


@dataclass(frozen=True, kw_only=True)
class Hints:
    """What verification should know; None leaves it to its defaults."""

    healthy_bound: float | None = None
    """Failing share at which the target counts as healthy."""
    wait_s: float | None = None
    """How long after its start a trace has shown its symptom: H of verification."""


@dataclass(frozen=True, kw_only=True)
class Overrides:
    """How approval differs from the policy."""

    approvers: int = 0
    """At least so many people, whatever the policy asks."""
    standing: bool = False
    """Approving the revision approves its plans within the policy's blast-radius cap; only where
    the policy allows it, and two people approved the revision."""


@dataclass(frozen=True, kw_only=True)
class Strategy:
    """A repair for a kind of finding."""

    strategy_id: str
    title: str
    level: Severity
    repair_level: Level
    condition: Condition
    actions: tuple[Action, ...]
    confidence_min: float
    """Confidence of the cause from which it may run by itself."""
    rollback: Literal["undo", "ask"]
    """After harm: undo its steps, last first, or only offer to."""
    verification: Hints
    approval: Overrides
    ttl_s: float
    """How long a plan made of it holds."""
    attempts_max: int
    """Repairs of one incident by it."""
    revision: str
    """Hash of the content: any change of the file but its layout makes a new one."""
    document: Mapping[str, Any]
    """The file as values, from which the strategy can be read again."""

    @property
    def key(self) -> str:
        """Its name with the revision."""
        return f"{self.strategy_id}@{self.revision}"

    @property
    def repairs(self) -> bool:
        """Whether it does more than write down what happened."""
        return any(step.action not in RECORDS for step in self.actions)
