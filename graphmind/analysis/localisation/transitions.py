"""What follows what inside a span: calls and log statements as a Markov chain."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from graphmind.analysis.localisation.period import Period
from graphmind.telemetry.tree import Bools, Ints

_EARLIEST, _LATEST = np.iinfo(np.int64).min, np.iinfo(np.int64).max
_SEVERE = ("ERROR", "FATAL")
# At the same instant a statement is taken to come before a call.
_KINDS = ("start", "log", "call", "end")


class Event(NamedTuple):
    """One thing that happens inside a span."""

    kind: str
    """start, log, call or end; every span has one start and one end."""
    name: str = ""
    """Site of the statement, operation called, or error code of an end."""
    level: str = ""
    """Of a statement; ERROR also for the end of a span that failed, and for a call that did."""
    callee: str = ""
    """The service called, empty for a child span of the same service."""

    def __str__(self) -> str:
        """Write it as evidence shows it."""
        match self.kind:
            case "log":
                return f"{self.level} {self.name}".strip()
            case "call":
                return f"{self.callee}:{self.name}" if self.callee else self.name
        return " ".join(part for part in (self.kind, self.level, self.name) if part)

    @property
    def is_severe(self) -> bool:
        """Whether it is a statement of an error, a failed call or a failed end."""
        return self.level in _SEVERE


START, END = Event("start"), Event("end")


class Point(NamedTuple):
    """An event in the spans of an operation."""

    service: str
    operation: str
    event: Event


class Transition(NamedTuple):
    """After a point, ``after`` is the next event of the span.

    What follows a failed call is left out: whoever merely passes a failure on, or mends it, does
    what the failure made him do.
    """

    point: Point
    after: Event


@dataclass(frozen=True, kw_only=True)
class Transitions:
    """How often each transition is taken. Counted per trace: a loop counts once."""

    traces: dict[Point, int]
    """Traces that come by the point."""
    taken: dict[Transition, float]
    """Expected traces among them that go on so; a trace that does several things is shared out."""


def transitions(period: Period) -> Transitions:
    """Count the transitions of a period."""
    events, row, event = _sequences(period)
    failed, begun = _calls_failed(events)
    within = np.flatnonzero((row[1:] == row[:-1]) & ~failed[event[:-1]])
    span, before, after = row[within], event[within], begun[event[within + 1]]
    operations = max(len(period.operations), 1)
    point_code = (period.service[span] * operations + period.operation[span]) * len(events) + before
    point_codes, point = np.unique(point_code, return_inverse=True)
    visits, visit = np.unique(period.trace[span] * len(point_codes) + point, return_inverse=True)
    traces = np.bincount(visits % max(len(point_codes), 1), minlength=len(point_codes))
    step_codes, step = np.unique(point * len(events) + after, return_inverse=True)
    taken = np.bincount(step, 1 / np.bincount(visit)[visit], len(step_codes))
    points = [_point(period, events, code) for code in point_codes.tolist()]
    steps = [divmod(code, len(events)) for code in step_codes.tolist()]
    return Transitions(
        traces=dict(zip(points, traces.tolist(), strict=True)),
        taken={
            Transition(points[start], events[after]): share
            for (start, after), share in zip(steps, taken.tolist(), strict=True)
        },
    )


def _calls_failed(events: list[Event]) -> tuple[Bools, Ints]:
    """Tell failed calls, and the event that each event looks like as it begins."""
    place = {event: n for n, event in enumerate(events)}
    failed = np.array([event.kind == "call" and event.is_severe for event in events])
    begun = [place[event._replace(level="")] if failed[n] else n for event, n in place.items()]
    return failed, np.array(begun)


def _point(period: Period, events: list[Event], code: int) -> Point:
    place, before = divmod(code, len(events))
    service, operation = divmod(place, len(period.operations))
    return Point(period.services[service], period.operations[operation], events[before])


def _sequences(period: Period) -> tuple[list[Event], Ints, Ints]:
    """List the events of all spans in order: vocabulary, span and event of each."""
    said_in, said_ns, said, logs = _statements(period)
    called_in, called_ns, called, calls = _calls(period)
    ends = [Event("end"), *(Event("end", code, level="ERROR") for code in period.failures)]
    events = [START, *ends, *logs, *calls]
    every = np.arange(len(period.trace))
    limits = [np.full(len(every), value) for value in (_EARLIEST, _LATEST)]
    rows = np.concatenate([every, every, said_in, called_in])
    times = np.concatenate([*limits, said_ns, called_ns])
    first_log = 1 + len(ends)
    codes = np.concatenate(
        [0 * every, period.failure + 2, said + first_log, called + first_log + len(logs)]
    )
    rank = np.empty(len(events), np.int64)
    rank[sorted(range(len(events)), key=lambda n: _order(events[n]))] = np.arange(len(events))
    order = np.lexsort((rank[codes], times, rows))
    return events, rows[order], codes[order]


def _order(event: Event) -> tuple[int, str]:
    return _KINDS.index(event.kind), str(event)


def _statements(period: Period) -> tuple[Ints, Ints, Ints, list[Event]]:
    """Return the span, the time and the event of each statement, and the events."""
    said = period.statements
    if said is None:
        none = np.zeros(0, np.int64)
        return none, none, none, []
    events = [Event("log", site, level=level) for level, site in said.names]
    return said.span, said.at_ns, said.name, events


def _calls(period: Period) -> tuple[Ints, Ints, Ints, list[Event]]:
    """Return the span, the time and the event of each call, and the events.

    A client span is named after what it reached. Every call is listed both as it went well and as
    it failed: first all that went well.
    """
    child = np.flatnonzero(period.parent >= 0)
    above = period.parent[child]
    through = period.waits()[child] & (period.service[child] == period.service[above])
    reached = np.where(through, period.first_child()[child], child)
    remote = period.service[reached] != period.service[above]
    callee = np.where(remote, period.service[reached] + 1, 0)
    operations = max(len(period.operations), 1)
    codes, call = np.unique(callee * operations + period.operation[reached], return_inverse=True)
    names = ("", *period.services)
    well = [
        Event("call", period.operations[code % operations], callee=names[code // operations])
        for code in codes.tolist()
    ]
    failed = [event._replace(level="ERROR") for event in well]
    outcome = np.where(period.failure[child] >= 0, len(well), 0)
    return above, period.start_ns[child], call + outcome, well + failed
