"""Span folding (S25): runs of equal short sibling spans become one span.

Only what loses nothing folds: leaves without error, event, link or model call, equal in every
attribute. A client span counts as a leaf only where the other end is a database: other servers
hang their spans below it.
"""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import Final

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode

from graphmind_capture import attributes as names
from graphmind_capture.spans import changed, duration_ns, span_id_of

RUN_MIN: Final = 6
"""Shorter runs stay as they are (chosen: five repetitions are still read at a glance)."""
NOT_FOLDED: Final = ("gen_ai.request", "gen_ai.response", "gen_ai.tool")
"""Starts of attribute names: a model or tool called over and over is a loop that must be seen."""
SHORT_NS: Final = 100_000_000
"""Longer spans are worth seeing one by one (chosen: 0.1 s)."""


def fold(spans: Sequence[ReadableSpan]) -> list[ReadableSpan]:
    """Fold the ended spans of one trace; the others keep their order."""
    if len(spans) < RUN_MIN:
        return list(spans)
    parents = {span.parent.span_id for span in spans if span.parent}
    siblings: dict[int, list[int]] = defaultdict(list)
    for row, span in enumerate(spans):
        siblings[span.parent.span_id if span.parent else 0].append(row)
    result: list[ReadableSpan | None] = list(spans)
    for rows in siblings.values():
        if len(rows) >= RUN_MIN:
            for run in _runs(spans, rows, parents):
                result[run[0]] = _folded([spans[row] for row in run])
                for row in run[1:]:
                    result[row] = None
    return [span for span in result if span is not None]


def _runs(spans: Sequence[ReadableSpan], rows: list[int], parents: set[int]) -> list[list[int]]:
    """Return the rows of each long enough run of equal siblings, in order of start."""
    runs: list[list[int]] = []
    previous: Hashable = None
    for row in sorted(rows, key=lambda row: (spans[row].start_time or 0, row)):
        identity = _identity(spans[row], parents)
        if identity is not None and identity == previous:
            runs[-1].append(row)
        elif identity is not None:
            runs.append([row])
        previous = identity
    return [run for run in runs if len(run) >= RUN_MIN]


def _identity(span: ReadableSpan, parents: set[int]) -> Hashable:
    """Return what equal spans share, None for a span that must not fold."""
    said = span.attributes or {}
    if (
        span.status.status_code is StatusCode.ERROR
        or span.events
        or span.links
        or span_id_of(span) in parents
        or duration_ns(span) > SHORT_NS
        or not _ends_here(span)
        or names.COLLAPSED in said
        or any(name.startswith(NOT_FOLDED) for name in said)
        or any(name in said for name in names.MODEL_VERSION)
    ):
        return None
    scope = span.instrumentation_scope.name if span.instrumentation_scope else ""
    # repr tells 1 from True and from 1.0, and is there for every kind of value.
    values = tuple(sorted((name, repr(value)) for name, value in said.items()))
    return span.name, span.kind, scope, span.status.status_code, values


def _ends_here(span: ReadableSpan) -> bool:
    if span.kind is SpanKind.CLIENT:
        said = span.attributes or {}
        return "db.system" in said or "db.system.name" in said
    return span.kind is SpanKind.INTERNAL


def _folded(run: list[ReadableSpan]) -> ReadableSpan:
    """Return one span from the first start to the last end."""
    first = run[0]
    return changed(
        first,
        attributes={
            **(first.attributes or {}),
            names.COLLAPSED: True,
            names.FOLDED_COUNT: len(run),
            names.FOLDED_DURATION: sum(map(duration_ns, run)) / 1e6,
        },
        end_time=max(span.end_time or 0 for span in run),
    )
