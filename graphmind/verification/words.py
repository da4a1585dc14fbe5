"""The words of a verification: groups of requests, metrics, verdicts, what follows from them."""

from enum import StrEnum
from typing import Final, Literal

from graphmind.errors import GraphmindError

Group = Literal["exposed", "recipient", "bystander"]
Metric = Literal["fast_failure", "failure", "slow", "wrong"]

EXPOSED: Final[Group] = "exposed"
"""Would have touched the target under the rule before the repair."""
RECIPIENT: Final[Group] = "recipient"
"""Was never meant to touch it, but uses what the repair moves load to."""
BYSTANDER: Final[Group] = "bystander"
"""Neither: the control."""
GROUPS: Final[tuple[Group, ...]] = (EXPOSED, RECIPIENT, BYSTANDER)
TREATED: Final[tuple[Group, ...]] = (EXPOSED, RECIPIENT)

FAST_FAILURE: Final[Metric] = "fast_failure"
"""Finished badly within the short wait (F2)."""
FAILURE: Final[Metric] = "failure"
"""Bad, or not finished within the wait (F)."""
SLOW: Final[Metric] = "slow"
"""Not finished within the wait, or slower than the healthy P95 (L)."""
WRONG: Final[Metric] = "wrong"
"""Finished, and judged wrong (W)."""
METRICS: Final[tuple[Metric, ...]] = (FAST_FAILURE, FAILURE, SLOW, WRONG)
CURABLE: Final[tuple[Metric, ...]] = (FAILURE, SLOW, WRONG)
"""Metrics an incident can be about, most telling first."""


class Verdict(StrEnum):
    """What the evidence says of a repair."""

    OPEN = "open"
    EFFECTIVE = "effective"
    NONE = "none"
    """Ineffective: nothing got better."""
    PARTIAL = "partial"
    """Ineffective: better, but not healthy."""
    INCONCLUSIVE = "inconclusive"
    HARMFUL = "harmful"
    RELAPSED = "relapsed"
    """Was effective, and fails again within the watch."""
    CONFIRMED = "confirmed"
    """Was effective, and stayed so through the watch."""


class Remedy(StrEnum):
    """What a verdict calls for."""

    WAIT = "wait"
    ROLL_BACK = "roll_back"
    """By itself: the harm is proven against a control."""
    OFFER_ROLL_BACK = "offer_roll_back"
    """Never by itself."""
    PAGE = "page"
    """Harm without a control to prove it against: a person decides."""
    REOPEN = "reopen"
    """The incident, not the repair, is back: do not roll back."""
    KEEP = "keep"


class Unverifiable(GraphmindError):  # noqa: N818 - reads as the finding it reports
    """History is too thin, or a stored verification cannot be read."""
