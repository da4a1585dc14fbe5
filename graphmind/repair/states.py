"""The states of a repair, as one table."""

from enum import StrEnum
from typing import Final

from graphmind.errors import GraphmindError


class State(StrEnum):
    """Where a repair stands."""

    PROPOSED = "proposed"
    PLANNED = "planned"
    AWAITING_APPROVAL = "awaiting_approval"
    APPROVED = "approved"
    RUNNING = "running"
    VERIFYING = "verifying"
    SUCCEEDED = "succeeded"
    INEFFECTIVE = "ineffective"
    INCONCLUSIVE = "inconclusive"
    HARMFUL = "harmful"
    ROLLING_BACK = "rolling_back"
    ROLLED_BACK = "rolled_back"
    EXPIRED = "expired"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    FAILED = "failed"
    INTERCEPTED = "intercepted"
    SUPPRESSED = "suppressed"


class Event(StrEnum):
    """What moves a repair on."""

    PLAN = "plan"
    SUPPRESS = "suppress"
    REQUEST_APPROVAL = "request_approval"
    APPROVE = "approve"
    """Given by people, or by the policy itself."""
    REJECT = "reject"
    EXPIRE = "expire"
    CANCEL = "cancel"
    """By a person, before it runs."""
    RUN = "run"
    INTERCEPT = "intercept"
    """By a person or the stop switch, while it runs: what was done is undone."""
    REPLAN = "replan"
    """The state is not the one it was planned against, and nothing was done yet."""
    EXECUTED = "executed"
    FAIL = "fail"
    """A step did not take effect; what was done before it is undone."""
    EFFECTIVE = "effective"
    INEFFECTIVE = "ineffective"
    INCONCLUSIVE = "inconclusive"
    HARMFUL = "harmful"
    UNDO = "undo"
    UNDONE = "undone"
    RELAPSED = "relapsed"


class NotAllowed(GraphmindError):  # noqa: N818 - reads as the decision it reports
    """The event cannot happen in that state."""


_S, _E = State, Event
TRANSITIONS: Final[dict[tuple[State, Event], State]] = {
    (_S.PROPOSED, _E.PLAN): _S.PLANNED,
    (_S.PROPOSED, _E.SUPPRESS): _S.SUPPRESSED,
    (_S.PROPOSED, _E.CANCEL): _S.CANCELLED,
    (_S.PLANNED, _E.REQUEST_APPROVAL): _S.AWAITING_APPROVAL,
    (_S.PLANNED, _E.APPROVE): _S.APPROVED,
    (_S.PLANNED, _E.SUPPRESS): _S.SUPPRESSED,
    (_S.PLANNED, _E.CANCEL): _S.CANCELLED,
    (_S.PLANNED, _E.EXPIRE): _S.EXPIRED,
    (_S.AWAITING_APPROVAL, _E.APPROVE): _S.APPROVED,
    (_S.AWAITING_APPROVAL, _E.REJECT): _S.REJECTED,
    (_S.AWAITING_APPROVAL, _E.CANCEL): _S.CANCELLED,
    (_S.AWAITING_APPROVAL, _E.EXPIRE): _S.EXPIRED,
    (_S.APPROVED, _E.RUN): _S.RUNNING,
    (_S.APPROVED, _E.CANCEL): _S.CANCELLED,
    (_S.APPROVED, _E.EXPIRE): _S.EXPIRED,
    (_S.RUNNING, _E.REPLAN): _S.PROPOSED,
    (_S.RUNNING, _E.EXECUTED): _S.VERIFYING,
    (_S.RUNNING, _E.FAIL): _S.FAILED,
    (_S.RUNNING, _E.INTERCEPT): _S.INTERCEPTED,
    (_S.VERIFYING, _E.EFFECTIVE): _S.SUCCEEDED,
    (_S.VERIFYING, _E.INEFFECTIVE): _S.INEFFECTIVE,
    (_S.VERIFYING, _E.INCONCLUSIVE): _S.INCONCLUSIVE,
    (_S.VERIFYING, _E.HARMFUL): _S.HARMFUL,
    (_S.VERIFYING, _E.UNDO): _S.ROLLING_BACK,
    (_S.SUCCEEDED, _E.HARMFUL): _S.HARMFUL,
    (_S.SUCCEEDED, _E.RELAPSED): _S.INEFFECTIVE,
    (_S.SUCCEEDED, _E.UNDO): _S.ROLLING_BACK,
    (_S.INEFFECTIVE, _E.HARMFUL): _S.HARMFUL,
    (_S.INEFFECTIVE, _E.UNDO): _S.ROLLING_BACK,
    (_S.INCONCLUSIVE, _E.HARMFUL): _S.HARMFUL,
    (_S.INCONCLUSIVE, _E.UNDO): _S.ROLLING_BACK,
    (_S.HARMFUL, _E.UNDO): _S.ROLLING_BACK,
    (_S.FAILED, _E.UNDO): _S.ROLLING_BACK,
    (_S.INTERCEPTED, _E.UNDO): _S.ROLLING_BACK,
    (_S.ROLLING_BACK, _E.UNDONE): _S.ROLLED_BACK,
    (_S.ROLLING_BACK, _E.FAIL): _S.FAILED,
}
"""Which event leads from which state where; any other pair is refused."""

LIVE: Final = frozenset({_S.RUNNING, _S.VERIFYING, _S.ROLLING_BACK})
"""States in which a repair holds the lease of its target."""


def after(state: State, event: Event) -> State:
    """Return the state that follows. Raises NotAllowed, naming the events that are possible."""
    found = TRANSITIONS.get((state, event))
    if found is None:
        possible = ", ".join(sorted(e for s, e in TRANSITIONS if s is state)) or "none"
        raise NotAllowed(f"A repair that is {state} takes no {event}; possible: {possible}")
    return found
