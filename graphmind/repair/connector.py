"""The port of a connector: what a repair and the platform's control planes promise each other.

A connector is found by entry point (group ``graphmind.connectors``): a function that takes the
validated section of the connectors file and returns a ``Connector``. It speaks to one real system,
keeps no state of its own, and never decides: whether a call may be made is settled before.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

from graphmind.errors import GraphmindError
from graphmind.repair.model import Call, Json, Level

ANY: Final = "*"
"""Name of the action of a connector that takes whatever it is told."""


class ConnectorError(GraphmindError):
    """The system refused, or could not be reached: it did not take effect. Safe to try again."""

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class OutcomeUnknown(ConnectorError):  # noqa: N818 - reads as the finding it reports
    """It did not answer in time, or the connection broke: ``verify`` must say what happened."""


class StateChanged(ConnectorError):  # noqa: N818 - reads as the finding it reports
    """The state is not the one it was planned against: nothing was done, plan anew."""


@dataclass(frozen=True, kw_only=True)
class Action:
    """One thing that a connector can do."""

    name: str
    level: Level
    params_schema: Json
    """JSON schema of ``Call.params``."""
    undoable: bool


@dataclass(frozen=True, kw_only=True)
class Description:
    """What a connector is and can do. Holds no secret."""

    kind: str
    address: str
    live: bool
    """Changes are switched on in its configuration; else it only plans."""
    actions: tuple[Action, ...]


@dataclass(frozen=True, kw_only=True)
class Planned:
    """What a call would change, read from the system as it is now."""

    before: Json
    undo: Call | None
    summary: str
    preconditions: tuple[str, ...] = ()
    undoes_with: str = ""


class Effect(StrEnum):
    """What ``verify`` found."""

    APPLIED = "applied"
    NOT_APPLIED = "not_applied"
    """The state is still the one before."""
    OTHER = "other"
    """Neither before nor after: somebody else changed it."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """The state read again."""

    effect: Effect
    state: Json
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Applied:
    """What the system answered to a call that it took."""

    detail: str
    facts: Mapping[str, str] = field(default_factory=dict)
    """For the audit: ids the system gave, numbers of things changed. No secrets."""


class Connector(Protocol):
    """One control plane. Every method may raise ConnectorError, and says in it what to do."""

    def describe(self) -> Description:
        """Say what it is; asks nothing of the system."""

    def plan(self, call: Call) -> Planned:
        """Read the present state and say what the call would do; changes nothing."""

    def apply(self, call: Call, *, before: Json, key: str) -> Applied:
        """Do it once for each ``key``: a second call with the same key changes nothing more.

        Raises StateChanged where the state is neither ``before`` nor what the call would make of
        it, ConnectorError where nothing was done, OutcomeUnknown where nobody can tell.
        """

    def verify(self, call: Call, *, before: Json, key: str) -> Seen:
        """Read the state again and say whether the call took effect; changes nothing."""

    def undo(self, call: Call, *, before: Json, key: str) -> Applied:
        """Bring ``before`` back with the step's ``undo`` call, once for each ``key``."""

    def close(self) -> None:
        """Release connections."""
