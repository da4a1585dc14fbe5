"""A case and its fault-free periods, loaded once for all methods."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from benchmarks.nezha.cases import Case, Minutes, read_cases, read_references
from benchmarks.nezha.files import read_spans, read_statements
from graphmind.analysis.localisation.period import Period, period_from_spans


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What a method is given: it names the services, most suspect first, or scores them."""

    case: Case
    window: Period
    before: Period | None
    """The minute before the injection; the first faulty traces may lie in it."""
    references: tuple[Period, ...]

    @property
    def services(self) -> set[str]:
        """All services of the system."""
        seen = (self.window, *self.references)
        return {*self.case.services, *(name for period in seen for name in period.services)}


def read_trials(system: Path) -> Iterator[Trial]:
    """Load the cases of a system one after the other."""
    references = tuple(_period(minutes) for minutes in read_references(system))
    for case in read_cases(system):
        yield Trial(
            case=case,
            window=_period(case.window),
            before=_period(case.before) if case.before.traces else None,
            references=references,
        )


@cache
def _period(minutes: Minutes) -> Period:
    """Load some minutes; the minutes of one case may be those before another."""
    return period_from_spans(
        read_spans(minutes.traces), read_statements(minutes.logs) if minutes.logs else None
    )
