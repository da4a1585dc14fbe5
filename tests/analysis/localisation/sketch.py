"""Periods drawn by hand, or at random from a seed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from graphmind.analysis.localisation.period import Period, Statements
from graphmind.telemetry.tree import depths

US = 1_000
MS = 1_000_000


@dataclass(frozen=True)
class Span:
    """A span and what it does; times in ms from the start of the trace."""

    name: str
    """`service:operation`."""
    start: float
    end: float
    calls: tuple["Span", ...] = ()
    says: tuple[tuple[float, str], ...] = ()
    """Time and `LEVEL site`."""
    fails: str = ""
    """Error code, empty where it ends well."""


def period(traces: Sequence[Span]) -> Period:
    """Lay traces out one second apart."""
    rows: list[tuple[int, int, Span]] = []
    for trace, root in enumerate(traces):
        _lay(root, trace, -1, rows)
    names = [span.name.split(":") for _, _, span in rows]
    services = tuple(sorted({service for service, _ in names}))
    operations = tuple(sorted({operation for _, operation in names}))
    failures = tuple(sorted({span.fails for _, _, span in rows} - {""}))
    parent = np.array([above for _, above, _ in rows])
    second = np.array([trace for trace, _, _ in rows]) * 1_000 * MS
    return Period(
        traces=len(traces),
        trace=np.array([trace for trace, _, _ in rows]),
        parent=parent,
        depth=depths(parent)[0],
        service=np.array([services.index(service) for service, _ in names]),
        operation=np.array([operations.index(operation) for _, operation in names]),
        start_ns=second + np.array([round(span.start * MS) for _, _, span in rows]),
        end_ns=second + np.array([round(span.end * MS) for _, _, span in rows]),
        failure=np.array([failures.index(span.fails) if span.fails else -1 for _, _, span in rows]),
        services=services,
        operations=operations,
        failures=failures,
        statements=_statements(rows),
    )


def said(drawn: Period) -> list[tuple[int, int, str]]:
    """List the statements of a period: row of the span, time, level and site."""
    found = drawn.statements
    assert found is not None
    return [
        (span, at, " ".join(found.names[name]))
        for span, at, name in zip(
            found.span.tolist(), found.at_ns.tolist(), found.name.tolist(), strict=True
        )
    ]


def _lay(span: Span, trace: int, above: int, rows: list[tuple[int, int, Span]]) -> None:
    row = len(rows)
    rows.append((trace, above, span))
    for call in span.calls:
        _lay(call, trace, row, rows)


def _statements(rows: list[tuple[int, int, Span]]) -> Statements:
    said = [
        (row, (trace * 1_000 + at) * MS, tuple(text.split(" ", 1)))
        for row, (trace, _, span) in enumerate(rows)
        for at, text in span.says
    ]
    names = sorted({name for _, _, name in said})
    return Statements(
        span=np.array([row for row, _, _ in said], np.int64),
        at_ns=np.array([round(at) for _, at, _ in said], np.int64),
        name=np.array([names.index(name) for _, _, name in said], np.int64),
        names=tuple((level, site) for level, site in names),
    )


def random_period(seed: int, *, traces: int = 8, services: int = 5, slow: str = "") -> Period:
    """Draw traces of a small system; a service that is ``slow`` takes ten times as long."""
    random = np.random.default_rng(seed)
    drawn = [_draw(random, "s0", 0, services=services, slow=slow) for _ in range(traces)]
    return period(drawn)


def _draw(
    random: np.random.Generator, service: str, depth: int, *, services: int, slow: str
) -> Span:
    """Draw a span, its statements and calls, some of them at the same time."""
    calls = []
    at, budget = 0.0, 100 / 3**depth
    for _ in range(random.integers(0, 4) if depth < 4 else 0):
        near = random.random() < 0.4
        target = service if near else f"s{random.integers(services)}"
        call = _draw(random, target, depth + 1, services=services, slow=slow)
        at += random.random() * budget / 5
        calls.append(_shift(call, _in_us(at)))
        at = calls[-1].end if random.random() < 0.7 else at
    own = random.random() * budget / 4 * (10 if service == slow else 1)
    end = _in_us(max([at, *(call.end for call in calls)]) + own)
    says = tuple(
        (_in_us(random.random() * end), f"{random.choice(['INFO', 'ERROR'])} {service}#{n}")
        for n in range(random.integers(0, 3))
    )
    return Span(f"{service}:op{random.integers(2)}", 0.0, end, tuple(calls), says)


def _in_us(ms: float) -> float:
    return round(ms, 3)


def _shift(span: Span, by: float) -> Span:
    return replace(
        span,
        start=_in_us(span.start + by),
        end=_in_us(span.end + by),
        calls=tuple(_shift(call, by) for call in span.calls),
        says=tuple((_in_us(at + by), text) for at, text in span.says),
    )
