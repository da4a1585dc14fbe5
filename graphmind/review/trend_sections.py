"""The sections of what changes and what recurs: faults, failing paths, drift, roll-back advice."""

from collections.abc import Sequence
from urllib.parse import quote

from graphmind.review import pictures
from graphmind.review import wording as w
from graphmind.review.markup import Markup, tag, together
from graphmind.review.model import Advice, Fault, PathOfWeek, Review
from graphmind.review.sections import nothing, table


def faults(found: Sequence[Fault]) -> Markup:
    """List where traces went wrong."""
    if not found:
        return nothing("No trace failed in this week.")
    most = max(each.failing for each in found)
    columns = (
        *(("path, from the root to where it went wrong", ""), ("outcome", "fix")),
        *(("failing", "num"), ("", "fix"), ("before", "num")),
    )
    rows = [
        (
            each.path or "not located",
            each.outcome,
            w.count(each.failing),
            pictures.count_bar(each.failing, each.failing_before, most),
            w.count(each.failing_before),
        )
        for each in found
    ]
    return table("faults", columns, rows)


def paths(found: Sequence[PathOfWeek]) -> Markup:
    """List the paths on which more traces fail than elsewhere."""
    if not found:
        return nothing("On no path did more traces fail than elsewhere.")
    most = max(each.failing for each in found)
    columns = (
        *(("path, from the root", ""), ("failing", "num"), ("", "fix"), ("before", "num")),
        *(("share that fails", "num"), ("times the usual", "num")),
    )
    rows = [
        (
            w.path(each.path),
            w.count(each.failing),
            pictures.count_bar(each.failing, each.failing_before, most),
            w.count(each.failing_before),
            w.percent(each.failing / (each.failing + each.passed)),
            w.times(each.lift),
        )
        for each in found
    ]
    note = (
        "Traces that went a path and failed, most beyond the usual first; tick: the week before, "
        "where the path stood out then too."
    )
    return together([tag("p", note, class_="note"), table("failing paths", columns, rows)])


def drifts(review: Review) -> Markup:
    """List the agents that answer otherwise than in the week before, with how far."""
    found = review.drifts
    if not found:
        return nothing("No agent answers more slowly, or goes other ways, than in the week before.")
    time = f"since_ms={review.since_ms}&until_ms={review.until_ms}"
    most = max(abs(each.response_shift) for each in found)
    columns = (
        *(("agent", ""), ("before", "num"), ("now", "num"), ("shift", "num"), ("", "fix")),
        *(("other ways", "num"), ("since", "fix")),
    )
    rows = [
        (
            tag("a", each.agent, href=f"/health/agents/{quote(each.agent, safe='')}?{time}"),
            w.milliseconds(each.was_mean_ms),
            w.milliseconds(each.mean_ms),
            w.shift(each.response_shift),
            pictures.shift_bar(each.response_shift, most),
            w.bits(each.branch_shift),
            "-" if each.since_ms is None else w.moment(each.since_ms),
        )
        for each in found
    ]
    note = (
        "Mean time of an agent's calls in a trace; shift: of the median. Other ways: how far the "
        "modules it calls differ, 0 to 1 bit. At most 1 % of the agents listed are false alarms."
    )
    return together([tag("p", note, class_="note"), table("drift", columns, rows)])


def advices(found: Sequence[Advice]) -> Markup:
    """List the versions to leave."""
    if not found:
        return nothing("No version is sure to fail clearly more often than the traces without it.")
    columns = (("model", ""), ("leave", ""), ("go back to", ""), ("why", ""))
    rows = [
        (
            each.model,
            tag("b", each.leave, class_="bad"),
            tag("b", each.go_to or "none is better", class_="ok" if each.go_to else "dim"),
            tag("span", each.why, class_="note"),
        )
        for each in found
    ]
    return table("versions to leave", columns, rows)
