"""One call of one connector, made and then looked at: what came of it, whatever the system says.

A system may answer success and do nothing, fail and have done it, answer late or not at all. What
counts is what ``verify`` reads afterwards.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from graphmind.repair.connector import (
    Connector,
    ConnectorError,
    Effect,
    OutcomeUnknown,
    Seen,
    StateChanged,
)
from graphmind.repair.model import Step

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How often and how long the runner tries (all chosen)."""

    attempts_max: int = 3
    wait_s: float = 0.5
    """Before the second attempt; doubled before each further one."""
    wait_max_s: float = 30.0
    """A system that asks for a longer wait than this has failed."""
    look_again_s: tuple[float, ...] = (0.2, 0.5, 1.0, 2.0)
    """Waits between looks at a state that is not yet the wanted one: some systems are slow."""
    lease_ms: int = 120_000
    """How long a step may take, waits included, before others may recover the repair."""
    verifying_lease_ms: int = 900_000
    """How long the target stays held after the last step, until verification renews it."""


class Came(StrEnum):
    """What came of a call."""

    DONE = "done"
    NOT_DONE = "not_done"
    """It took no effect: safe to try again with the same key."""
    CHANGED = "changed"
    """The state is neither the one before nor the one wanted: somebody else acts on it."""
    UNKNOWN = "unknown"
    """Nobody can tell now: to be looked at again later."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a call, for the journal and the audit."""

    came: Came
    detail: str
    facts: Mapping[str, str] = field(default_factory=dict)
    retry_after_s: float | None = None


class Calls:
    """Calls the connectors by name. Raises nothing of theirs."""

    def __init__(
        self,
        connectors: Mapping[str, Connector],
        *,
        patience: Patience,
        sleep: Callable[[float], None],
    ) -> None:
        self._connectors = connectors
        self._patience = patience
        self._sleep = sleep

    def unfit(self, step: Step) -> str:
        """Return why a step cannot be called at all; empty where it can."""
        connector = self._connectors.get(step.connector)
        if connector is None:
            known = ", ".join(sorted(self._connectors)) or "none"
            return f"step {step.number} needs the connector {step.connector!r}; configured: {known}"
        if not connector.describe().live:
            return f"the connector {step.connector!r} only plans: set `live: true` in its section"
        return ""

    def precheck(self, step: Step, key: str) -> Outcome:
        """Say whether the state is still the one the step was planned against; changes nothing."""
        connector = self._connectors[step.connector]
        seen = self._looked(connector, step, key, wanted=Effect.NOT_APPLIED)
        if isinstance(seen, str):
            return Outcome(came=Came.UNKNOWN, detail=seen)
        if seen.effect is Effect.NOT_APPLIED:
            return Outcome(came=Came.DONE, detail="as planned")
        if seen.effect is Effect.APPLIED and (step.undo is None or _is_planned(connector, step)):
            return Outcome(came=Came.DONE, detail="so already when it was planned")
        return Outcome(came=Came.CHANGED, detail=_differs(step, seen))

    def apply(self, step: Step, key: str) -> Outcome:
        """Make the call, and look at what it did."""
        connector = self._connectors[step.connector]
        try:
            answered = connector.apply(step.call, before=step.before, key=key)
        except StateChanged as error:
            return Outcome(came=Came.CHANGED, detail=str(error))
        except OutcomeUnknown as error:
            return self.settle(step, key, said=str(error))
        except ConnectorError as error:
            return _refused(error)
        except Exception as error:  # noqa: BLE001 - the edge: a connector may break in any way
            return self.settle(step, key, said=_broke(step, error))
        outcome = self.settle(step, key, said=f"the system said: {answered.detail}")
        if outcome.came is Came.DONE:
            return Outcome(came=Came.DONE, detail=answered.detail, facts=answered.facts)
        return outcome

    def settle(self, step: Step, key: str, *, said: str) -> Outcome:
        """Look whether a call that may have been made took effect."""
        connector = self._connectors[step.connector]
        seen = self._looked(connector, step, key, wanted=Effect.APPLIED)
        if isinstance(seen, str):
            return Outcome(came=Came.UNKNOWN, detail=f"{said}; it cannot be looked at: {seen}")
        if seen.effect is Effect.APPLIED:
            return Outcome(came=Came.DONE, detail=f"{said}; the state is the one wanted")
        if seen.effect is Effect.NOT_APPLIED:
            return Outcome(came=Came.NOT_DONE, detail=f"{said}; the state is the one before")
        return Outcome(came=Came.CHANGED, detail=f"{said}; {_differs(step, seen)}")

    def undo(self, step: Step, key: str) -> Outcome:
        """Make the inverse call of a step that has one, and look at what it did."""
        assert step.undo is not None
        connector = self._connectors[step.connector]
        try:
            answered = connector.undo(step.undo, before=step.before, key=f"{key}:undo")
        except (StateChanged, OutcomeUnknown) as error:
            return self.settle_undo(step, key, said=str(error))
        except ConnectorError as error:
            return _refused(error)
        except Exception as error:  # noqa: BLE001 - the edge: a connector may break in any way
            return self.settle_undo(step, key, said=_broke(step, error))
        outcome = self.settle_undo(step, key, said=f"the system said: {answered.detail}")
        # Where the inverse brings not all back, what is read tells less than the answer.
        if outcome.came is Came.DONE or (step.undoes_with and outcome.came is not Came.UNKNOWN):
            return Outcome(came=Came.DONE, detail=answered.detail, facts=answered.facts)
        return outcome

    def settle_undo(self, step: Step, key: str, *, said: str) -> Outcome:
        """Look whether the state before the step is there again."""
        connector = self._connectors[step.connector]
        seen = self._looked(connector, step, key, wanted=Effect.NOT_APPLIED)
        if isinstance(seen, str):
            return Outcome(came=Came.UNKNOWN, detail=f"{said}; it cannot be looked at: {seen}")
        if seen.effect is Effect.NOT_APPLIED:
            return Outcome(came=Came.DONE, detail=f"{said}; the state before is there again")
        if seen.effect is Effect.APPLIED:
            return Outcome(came=Came.NOT_DONE, detail=f"{said}; the step is still in effect")
        if step.undoes_with:
            return Outcome(came=Came.NOT_DONE, detail=f"{said}; it cannot be told from the state")
        return Outcome(came=Came.CHANGED, detail=f"{said}; {_differs(step, seen)}")

    def _looked(self, connector: Connector, step: Step, key: str, *, wanted: Effect) -> Seen | str:
        """Look until the state is the wanted one or patience ends; text where it cannot be read."""
        found: Seen | str = ""
        for wait_s in (0.0, *self._patience.look_again_s):
            if wait_s:
                self._sleep(wait_s)
            found = _seen(connector, step, key)
            if not isinstance(found, str) and found.effect is wanted:
                break
        return found


def _seen(connector: Connector, step: Step, key: str) -> Seen | str:
    try:
        return connector.verify(step.call, before=step.before, key=key)
    except ConnectorError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - the edge: a connector may break in any way
        return _broke(step, error)


def _is_planned(connector: Connector, step: Step) -> bool:
    """Whether the state as it is now is the one that was planned against."""
    try:
        return connector.plan(step.call).before == step.before
    except ConnectorError:
        return False


def _refused(error: ConnectorError) -> Outcome:
    return Outcome(came=Came.NOT_DONE, detail=str(error), retry_after_s=error.retry_after_s)


def _differs(step: Step, seen: Seen) -> str:
    said = f" ({seen.detail})" if seen.detail else ""
    return f"the state of {step.call.target} is neither the one before nor the one wanted{said}"


def _broke(step: Step, error: Exception) -> str:
    """Name a bug of a connector without its text, which may hold anything."""
    log.error("connector_broke connector=%s error=%s", step.connector, type(error).__name__)
    return f"the connector {step.connector!r} broke with {type(error).__name__}"
