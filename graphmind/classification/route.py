"""What every route to a class of root causes has in common."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from graphmind.classification.case import Case


@dataclass(frozen=True, kw_only=True)
class Guess:
    """One class that an incident may belong to."""

    label: str
    score: float
    """Between 0 and 1, comparable within one route only."""
    reason: str


class Fitted(Protocol):
    """A route that has seen cases."""

    def candidates(self, case: Case) -> tuple[Guess, ...]:
        """Return the classes it thinks possible, best first, ties by label; may be empty."""


class Route(Protocol):
    """One way to tell the class of a root cause; equal ones say the same of the same cases."""

    @property
    def name(self) -> str:
        """The name by which a choice records it."""

    def __hash__(self) -> int: ...

    def fit(self, cases: Sequence[Case]) -> Fitted:
        """Learn from labelled cases, ordered by ``in_order``, of at least two classes."""


def ranked(guesses: Sequence[Guess]) -> tuple[Guess, ...]:
    """Put guesses in order: best score first, ties by label."""
    return tuple(sorted(guesses, key=lambda guess: (-guess.score, guess.label)))
