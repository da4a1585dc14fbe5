"""What changes and what recurs over a week: faults, paths, drift of agents, versions to leave."""

from collections.abc import Mapping, Sequence
from typing import Final

from graphmind.review.material import Document
from graphmind.review.model import Advice, AgentDrift, Fault, PathOfWeek

Faults = Mapping[tuple[str, str], float]
PATHS_MAX: Final = 12
DRIFTS_MAX: Final = 12
"""Rows that are looked at (chosen)."""


def faults(found: Faults, before: Faults) -> tuple[Fault, ...]:
    """Return where most traces went wrong, most first."""
    ranked = sorted(found, key=lambda key: (-found[key], key))
    return tuple(
        Fault(
            path=path,
            outcome=outcome,
            failing=round(found[path, outcome], 3),
            failing_before=round(before.get((path, outcome), 0.0), 3),
        )
        for path, outcome in ranked[:PATHS_MAX]
    )


def paths(found: Sequence[Document], before: Sequence[Document]) -> tuple[PathOfWeek, ...]:
    """Return the paths on which more traces failed than elsewhere, in the order given."""
    past = {tuple(each["path"]): each["failing"] for each in before}
    return tuple(
        PathOfWeek(
            path=tuple(each["path"]),
            failing=round(each["failing"], 3),
            passed=round(each["passed"], 3),
            lift=round(each["lift"], 3),
            failing_before=_rounded(past.get(tuple(each["path"]))),
        )
        for each in found[:PATHS_MAX]
    )


def drifts(found: Sequence[Document]) -> tuple[AgentDrift, ...]:
    """Return the agents that surely drifted, in the order given."""
    sure = [each for each in found if each["score"] > 0]
    return tuple(
        AgentDrift(
            agent=each["group"],
            response_shift=round(each["response_shift"], 4),
            branch_shift=round(each["branch_shift"], 4),
            mean_ms=round(each["mean_ms"], 3),
            was_mean_ms=round(each["was_mean_ms"], 3),
            since_ms=each["since_ms"],
            score=round(each["score"], 4),
        )
        for each in sure[:DRIFTS_MAX]
    )


def advices(found: Sequence[Document]) -> tuple[Advice, ...]:
    """Return which versions to leave, and for which others."""
    return tuple(
        Advice(model=each["model"], leave=each["from"], go_to=each["to"], why=each["why"])
        for each in found
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
