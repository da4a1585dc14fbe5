"""What runs because something failed: handlers, reports, clean-up. Effects, never causes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from graphmind.telemetry.assembly import Columns
from graphmind.telemetry.spans import STATUS_ERROR
from graphmind.telemetry.tree import Bools, Ints, nearest

EFFECT_SHARE_MIN: Final = 0.9
"""Share of an item's spans that run because of a failure from which it is an effect (chosen: lost
spans hide that a handler ran under a failed one)."""
SPANS_MIN: Final = 5
"""Fewer spans say nothing about an item; nor could so few make it a cause (chosen)."""


@dataclass(frozen=True, kw_only=True)
class Aftermath:
    """Which spans run because of a failure, and when a trace's symptoms have all begun."""

    starts: Ints
    """(spans,), when each span counts as started."""
    caused: Bools
    """(spans,), after the first symptom of their trace, or well themselves under a failed span."""
    over_ns: Ints
    """(spans,), just after the last symptom of their trace began; 0 where there is none."""

    def first_touches(self, codes: Ints) -> Ints:
        """Return when each span touches its item, told by a code, -1 for none.

        An item that nearly only spans in an aftermath touch is an effect, however early its trace
        seems to have failed: a handler may run inside the span that fails.
        """
        known = codes >= 0
        count = np.bincount(codes[known], minlength=1)
        caused = np.bincount(codes[known & self.caused], minlength=len(count))
        effect = (caused >= EFFECT_SHARE_MIN * count) & (count >= SPANS_MIN)
        late = np.maximum(self.starts, self.over_ns)
        return np.where(known & effect[codes], late, self.starts)


def aftermath(columns: Columns, symptoms: Sequence[tuple[Ints, Ints]]) -> Aftermath:
    """Tell effects from the rows that show each symptom, one a trace, and when it began there.

    A handler starts when the failed span ends; where clocks are coarse that is the same number. So
    what starts at that instant counts as later, unless it leads from the root to the symptom.
    """
    traces = int(columns.trace.max(initial=-1)) + 1
    first, last = np.full(traces, np.iinfo(np.int64).max), np.full(traces, -1)
    instant = np.zeros(len(columns.trace), bool)
    for rows, began in symptoms:
        at = np.full(traces, -1)
        at[columns.trace[rows]] = began
        instant |= columns.start == at[columns.trace]
        np.minimum.at(first, columns.trace[rows], began)
        np.maximum(last, at, out=last)
    leading = _up_to_the_root(columns.parent, _joined([rows for rows, _ in symptoms]))
    return Aftermath(
        starts=columns.start + (instant & ~leading),
        caused=(columns.start > first[columns.trace]) | _under_failure(columns),
        over_ns=last[columns.trace] + 1,
    )


def _joined(parts: list[Ints]) -> Ints:
    return np.unique(np.concatenate([np.zeros(0, np.int64), *parts]))


def _under_failure(columns: Columns) -> Bools:
    """Spans without failure in or below them, under one that failed."""
    failed = columns.status == STATUS_ERROR
    sound = ~_up_to_the_root(columns.parent, np.flatnonzero(failed))
    under: Bools = sound & (nearest(columns.parent, failed) >= 0)
    return under


def _up_to_the_root(parent: Ints, rows: Ints) -> Bools:
    """Mark the rows and everything above them."""
    marked = np.zeros(len(parent), bool)
    while len(rows):
        marked[rows] = True
        above = parent[rows]
        rows = np.unique(above[above >= 0])
        rows = rows[~marked[rows]]
    return marked
