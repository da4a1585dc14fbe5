"""What the duration of a trace is made of: the spans that nothing else ran beside. Pure."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from graphmind.telemetry.spans import STATUS_ERROR

MS_NS: Final = 1_000_000
STEPS_MAX: Final = 40
"""Steps shown: those that take longest, and the one where it went wrong (chosen)."""

Row = dict[str, Any]


def critical_times(spans: Sequence[Mapping[str, Any]]) -> dict[int, int]:
    """Return the time on the critical path by row, ns; spans are rows of ASSEMBLED of one trace.

    From the end of a span backwards: while a child ran that ended last, the time is the child's,
    else the span's own.
    """
    children: dict[int, list[int]] = defaultdict(list)
    for row, span in enumerate(spans):
        children[span["parent_row"]].append(row)
    times: dict[int, int] = {}
    walk = [(root, _end(spans[root])) for root in children[-1]]
    while walk:
        row, until = walk.pop()
        start, at, own = spans[row]["start_ns"], until, 0
        for child in sorted(children[row], key=lambda each: -_end(spans[each])):
            begins, ends = spans[child]["start_ns"], min(_end(spans[child]), at)
            if ends <= max(begins, start):
                continue
            own += at - ends
            walk.append((child, ends))
            at = max(begins, start)
        times[row] = times.get(row, 0) + own + max(at - start, 0)
    return times


def critical_path(
    failing: Sequence[Mapping[str, Any]],
    healthy: Sequence[Mapping[str, Any]],
    fault_span_id: str | None,
) -> list[Row]:
    """Return the steps of the failing trace in tree order, beside those of the healthy one.

    Steps are the same where they have the same names from the root and the same place among such.
    """
    times, steps = critical_times(failing), step_names(failing)
    usual_times = critical_times(healthy)
    usual = {step: usual_times.get(row, 0) for row, step in enumerate(step_names(healthy))}
    fault = {row for row, span in enumerate(failing) if span["span_id"] == fault_span_id}
    longest = sorted(times, key=lambda row: (-times[row], row))[:STEPS_MAX]
    first = min((span["start_ns"] for span in failing), default=0)
    return [
        {
            **_told(failing[row], first),
            "self_ms": times.get(row, 0) / MS_NS,
            "healthy_self_ms": usual[steps[row]] / MS_NS if steps[row] in usual else None,
            "is_root": row in fault,
        }
        for row in tree_order(failing)
        if row in {*longest, *fault}
    ]


def step_names(spans: Sequence[Mapping[str, Any]]) -> list[tuple[str, int]]:
    """Name each span by its names from the root, and its place among those of the same names."""
    paths = [""] * len(spans)
    named = [("", 0)] * len(spans)
    seen: Counter[str] = Counter()
    for row in tree_order(spans):
        span = spans[row]
        above = paths[span["parent_row"]] if span["parent_row"] >= 0 else ""
        paths[row] = f"{above} > {span['name'] or ''}"
        named[row] = (paths[row], seen[paths[row]])
        seen[paths[row]] += 1
    return named


def tree_order(spans: Sequence[Mapping[str, Any]]) -> list[int]:
    """Return the rows depth first, the children of each by start."""
    children: dict[int, list[int]] = defaultdict(list)
    for row, span in enumerate(spans):
        children[span["parent_row"]].append(row)
    order: list[int] = []
    left = _latest_first(spans, children[-1])
    while left:
        row = left.pop()
        order.append(row)
        left += _latest_first(spans, children[row])
    return order


def _latest_first(spans: Sequence[Mapping[str, Any]], rows: list[int]) -> list[int]:
    return sorted(rows, key=lambda row: (-spans[row]["start_ns"], -row))


def _told(span: Mapping[str, Any], first_ns: int) -> Row:
    return {
        **{name: span[name] for name in ("span_id", "module", "agent", "depth")},
        "operation": span["name"],
        "started_ms": (span["start_ns"] - first_ns) / MS_NS,
        "duration_ms": (_end(span) - span["start_ns"]) / MS_NS,
        "failed": span["status"] == STATUS_ERROR,
    }


def _end(span: Mapping[str, Any]) -> int:
    """Return when a span ended; one that did not takes no time."""
    start: int = span["start_ns"]
    return start if span["end_ns"] is None else max(int(span["end_ns"]), start)
