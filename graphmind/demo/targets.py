"""The targets of S22 beside what was measured. Pure."""

from dataclasses import dataclass
from typing import Final

from graphmind.demo.outcome import EFFECTIVE, Outcome, is_back

CONFIDENCE_MIN: Final = 0.93
NAMED_TRACES_MAX: Final = 70
EXECUTED_MAX_S: Final = 15.0
RECOVERING_MAX_S: Final = 37.0
VERDICT_MAX_S: Final = 240.0
"""95 % of full recoveries are proven by then at 20 requests a second (verification.md)."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """One figure to reach."""

    what: str
    wanted: str
    measured: str
    met: bool


def targets_of(outcome: Outcome) -> list[Target]:
    """Return the targets of an outcome; of one where nothing is to be repaired, only that."""
    if not outcome.truth.repairs:
        said = f"{len(outcome.repairs)} repairs"
        return [Target(what="repairs", wanted="none", measured=said, met=not outcome.repairs)]
    when, confidence = outcome.moments, outcome.confidence or 0.0
    traces = outcome.traces_when_named
    back = is_back(outcome)
    return [
        Target(
            what="cause named first",
            wanted=", ".join(outcome.truth.causes),
            measured=", ".join(outcome.causes) or "none",
            met=bool(outcome.causes) and all(map(outcome.truth.is_right, outcome.causes)),
        ),
        Target(
            what="confidence",
            wanted=f">= {CONFIDENCE_MIN}",
            measured=f"{confidence:.2f}",
            met=confidence >= CONFIDENCE_MIN,
        ),
        Target(
            what="failing traces when it was named",
            wanted=f"<= {NAMED_TRACES_MAX}",
            measured="-" if traces is None else str(traces),
            met=traces is not None and traces <= NAMED_TRACES_MAX,
        ),
        _within("incident to executed", when.opened, when.executed, EXECUTED_MAX_S),
        _within("incident to recovering", when.opened, when.recovering, RECOVERING_MAX_S),
        _within("executed to verdict", when.executed, when.verdict, VERDICT_MAX_S),
        Target(
            what="verdict",
            wanted=EFFECTIVE,
            measured=outcome.verdict,
            met=outcome.is_good,
        ),
        Target(
            what="figures back within 10 %",
            wanted="all",
            measured=f"{sum(value is True for value in back.values())} of {len(back)}",
            met=all(back.values()),
        ),
    ]


def _within(what: str, first: int | None, second: int | None, most_s: float) -> Target:
    if first is None or second is None:
        return Target(what=what, wanted=f"<= {most_s:g} s", measured="-", met=False)
    took_s = (second - first) / 1000
    return Target(
        what=what, wanted=f"<= {most_s:g} s", measured=f"{took_s:.1f} s", met=took_s <= most_s
    )
