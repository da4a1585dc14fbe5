"""Items the data cannot tell from a cause, and which of them gives the cause its name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from graphmind.analysis.columns import LINEAGE
from graphmind.analysis.incidence import Integers
from graphmind.analysis.model import Candidate, Model, tally

NAMING: Final = (
    "model_version",
    "model_requested",
    "prompt_version",
    "agent",
    "kv_key",
    "tool",
    "region",
    "endpoint",
    "instance",
    "service",
    "written_by_agent",
    "written_by_trace",
    "fed_by_agent",
    "fed_by_trace",
    "module",
    "task",
)
"""Kinds of item, what a repair can act on first."""

CHAIN_JACCARD: Final = 0.7
"""Overlap from which two names of one written value are not told apart (chosen): a few readers that
are still healthy shall not hide the key behind the trace that wrote it."""


Preference = Callable[[int], tuple[int, int]]
"""Sorts items by what a repair can act on first."""


@dataclass(frozen=True, kw_only=True)
class Name:
    """What to call a cause."""

    items: tuple[int, ...]
    tied: tuple[tuple[int, ...], ...]
    """Others that fit as well, best name first."""
    rows: Integers
    """Rows the named items are active on."""
    bounded: bool
    """Whether the named items are also touched by traces outside the time of those rows."""


@dataclass(frozen=True, kw_only=True)
class _LookAlike:
    """A column on nearly the same traces as the cause while the cause is active."""

    column: int
    rows: Integers
    """Its rows in that time."""
    bounded: bool
    """Whether it has other rows as well."""


def name_cause(model: Model, cause: Candidate, kinds: Sequence[str]) -> Name:
    """Name a cause after the most actionable of the items that fit it equally well."""

    def preference(item: int) -> tuple[int, int]:
        return NAMING.index(kinds[item]), item

    def items_of(column: int) -> list[int]:
        return sorted(model.columns.items_of(column).tolist(), key=preference)

    if len(cause.key) > 1:
        return _name_pair(model, cause, preference)
    fitting = _equally_good(model, _look_alikes(model, cause), kinds)
    chosen = min(fitting, key=lambda other: preference(items_of(other.column)[0]))
    named, *tied = sorted(
        (item for other in fitting for item in items_of(other.column)), key=preference
    )
    return Name(
        items=(named,),
        tied=tuple((item,) for item in tied),
        rows=chosen.rows,
        bounded=chosen.bounded,
    )


def _name_pair(model: Model, cause: Candidate, preference: Preference) -> Name:
    """Name a pair after the most actionable items of either side that give the same traces."""
    sides = [
        sorted(
            (item for column in stand_ins for item in model.columns.items_of(column).tolist()),
            key=preference,
        )
        for stand_ins in (_stand_ins(model, cause, side) for side in range(len(cause.key)))
    ]
    named = tuple(sorted(side[0] for side in sides))
    others = [
        tuple(sorted((item, *(side[0] for side in sides if side is not own))))
        for own in sides
        for item in own[1:]
    ]
    singles = [(other.column,) for other in _look_alikes(model, cause)]
    alone = [
        (item,)
        for (column,) in singles
        for item in sorted(model.columns.items_of(column).tolist(), key=preference)
    ]
    return Name(items=named, tied=(*alone, *others), rows=cause.rows, bounded=cause.bounded)


def _stand_ins(model: Model, cause: Candidate, side: int) -> list[int]:
    """Columns that, in place of one side of a pair, meet the other side on the same traces."""
    columns, tie = model.columns, model.options.tie_jaccard
    (other,) = cause.key[:side] + cause.key[side + 1 :]
    exposed = columns.rows_of((other,))
    first, stop = _time_of(model, cause.rows)
    start, end = np.searchsorted(exposed, (first, stop))
    rows = exposed[start:end]
    within = np.bincount(columns.by_trace.columns_of(rows), minlength=columns.count)
    shared = np.bincount(columns.by_trace.columns_of(cause.rows), minlength=columns.count)
    either = len(cause.rows) + within - shared
    fit = (shared >= tie * either) & (np.arange(columns.count) != other)
    return np.flatnonzero(fit).tolist()


def tied_items(model: Model, cause: Candidate) -> set[int]:
    """Items on nearly the same traces as the cause while it is active."""
    return {
        int(item)
        for other in _look_alikes(model, cause)
        for item in model.columns.items_of(other.column)
    }


def _equally_good(model: Model, others: list[_LookAlike], kinds: Sequence[str]) -> list[_LookAlike]:
    """Look-alikes that explain as much at the same price.

    One that must be bounded in time to fit has been chosen from many intervals, so it is no match
    for one that fits as it is, unless both belong to the same state-write chain, where the write
    itself sets the bounds.
    """
    unbounded = [other for other in others if not other.bounded]
    if not unbounded:
        return others

    def in_chain(other: _LookAlike) -> bool:
        return any(kinds[item] in LINEAGE for item in model.columns.items_of(other.column))

    if not any(in_chain(other) for other in unbounded):
        return unbounded
    return [other for other in others if not other.bounded or in_chain(other)]


def _look_alikes(model: Model, cause: Candidate) -> list[_LookAlike]:
    """Columns with nearly the same exposures in the time the cause is active; itself too.

    A column that also fails outside that time is none, and neither is another cause of the model:
    the data tell them apart.
    """
    columns, rows = model.columns, cause.rows
    shared = np.bincount(columns.by_trace.columns_of(rows), minlength=columns.count)
    first, stop = _time_of(model, rows)
    other_causes = {other.key for other in model.causes} - {cause.key}
    found = []
    for column in np.flatnonzero(shared >= CHAIN_JACCARD * len(rows)).tolist():
        in_chain = columns.in_one_chain(cause.key, (column,))
        tie = CHAIN_JACCARD if in_chain else model.options.tie_jaccard
        everywhere = columns.rows_of((column,))
        start, end = np.searchsorted(everywhere, (first, stop))
        inside = everywhere[start:end]
        outside = np.concatenate([everywhere[:start], everywhere[end:]])
        either = len(rows) + len(inside) - shared[column]
        if (column,) == cause.key:
            found.append(_LookAlike(column=column, rows=rows, bounded=cause.bounded))
        elif (
            shared[column] >= tie * either
            and (column,) not in other_causes
            and not _fails(model, outside)
        ):
            bounded = bool(shared[column] < tie * (either + len(outside)))
            active = inside if bounded else everywhere
            found.append(_LookAlike(column=column, rows=active, bounded=bounded))
    return found


def _time_of(model: Model, rows: Integers) -> tuple[int, int]:
    """First row, and the row past the last, that start no earlier and no later than the rows."""
    times = model.sample.start_ns
    first = np.searchsorted(times, times[rows[0]], side="left")
    return int(first), int(np.searchsorted(times, times[rows[-1]], side="right"))


def _fails(model: Model, rows: Integers) -> bool:
    """Whether the rows fail more than the model expects."""
    return len(rows) > 0 and tally(model, rows).gain >= model.options.gain_min
