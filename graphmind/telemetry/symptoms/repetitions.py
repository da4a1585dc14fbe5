"""Branches dispatched twice, and calls that go round in circles."""

from typing import Final

import numpy as np
import pyarrow.compute as pc

from graphmind.telemetry.assembly import Columns
from graphmind.telemetry.grouped import group_quantile
from graphmind.telemetry.numbering import dense, numbered
from graphmind.telemetry.symptoms.scene import (
    Scene,
    Shown,
    constant_codes,
    either,
    first_of_trace,
    nothing,
)
from graphmind.telemetry.tree import Bools, Ints, running_max

CALLS: Final = "repeated call"
UNSTATED_MIN: Final = 6
"""Calls of a tool that make a loop where no arguments are recorded (chosen): three are work."""
_FORK_DEPTH_MAX: Final = 2
"""Deeper repetition is iteration, not a second dispatch (chosen)."""


def fork(scene: Scene, healthy: Bools) -> Shown:
    """Branches dispatched again while the first still runs, where healthy traces have one.

    One after the other is how agents work; a second dispatch runs beside the first.
    """
    columns, table = scene.columns, scene.assembled
    branches = pc.greater(table.column("children"), 0).to_numpy()
    rows = np.flatnonzero(branches & (columns.depth <= _FORK_DEPTH_MAX) & ~scene.failed)
    above = np.where(columns.parent >= 0, columns.parent, -1 - columns.trace)
    width = int(scene.operation.max(initial=0)) + 1
    beside = dense(above[rows] * width + scene.operation[rows])
    rows, beside = _first_and_overlapping(columns, rows, beside)
    same = np.zeros(len(above), np.int64)
    same[rows] = beside
    return _repeated(scene, healthy, rows, (same, scene.operation), "double dispatch", least=2)


def _first_and_overlapping(columns: Columns, rows: Ints, group: Ints) -> tuple[Ints, Ints]:
    """Keep of each group the first row and those that start before an earlier one has ended."""
    order = np.lexsort((columns.start[rows], group))
    rows, group = rows[order], group[order]
    first = np.diff(group, prepend=-1) != 0
    ended = running_max(columns.end[rows], first)
    overlapping = np.zeros(len(rows), bool)
    overlapping[1:] = columns.start[rows][1:] < ended[:-1]
    keep = first | overlapping
    return rows[keep], group[keep]


def loop(scene: Scene, healthy: Bools) -> Shown:
    """One tool called over and over by one agent, with the same arguments where recorded.

    Compared among traces of a task, not of the tool: most calls of a tool may be part of a loop.
    """
    table = scene.assembled
    call = numbered(table, "agent", "tool", "name", "arguments")
    task = scene.traces.stratum[scene.columns.trace]
    same_and_kind = (call, task)
    tool, stated = (pc.is_valid(table.column(name)).to_numpy() for name in ("tool", "arguments"))
    return either(
        scene,
        *(
            _repeated(scene, healthy, np.flatnonzero(rows), same_and_kind, CALLS, least=least)
            for rows, least in ((tool & stated, 3), (tool & ~stated, UNSTATED_MIN))
        ),
    )


def _repeated(
    scene: Scene,
    healthy: Bools,
    rows: Ints,
    same_and_kind: tuple[Ints, Ints],
    code: str,
    *,
    least: int,
) -> Shown:
    """Rows at which the repetitions of the same thing in a trace exceed what is usual.

    Usual is the 80 % quantile of the repetitions of its kind in healthy traces; the limit is twice
    that and one more (algorithms.md, section 1), but ``least`` where healthy traces hold it once.
    """
    if not len(rows):
        return nothing()
    same, kind = same_and_kind
    _, first, group = np.unique(
        scene.columns.trace[rows] * (int(same.max()) + 1) + same[rows],
        return_index=True,
        return_inverse=True,
    )
    counts = np.bincount(group)
    kinds, trace = kind[rows[first]], scene.columns.trace[rows[first]]
    reference = np.flatnonzero(healthy[trace])
    count = int(kind.max()) + 1
    usual = group_quantile(counts[reference].astype(float), kinds[reference], count, 0.8)
    observed = np.bincount(kinds[reference], minlength=count)
    usual[observed < scene.settings.baseline_traces] = np.nan
    limit = np.where(usual <= 1, least, 2 * usual + 1)[kinds]
    order = np.lexsort((scene.columns.start[rows], group))
    nth = np.empty(len(rows), np.int64)
    nth[order] = np.arange(len(rows)) - (np.cumsum(counts) - counts)[group[order]] + 1
    shown = rows[nth >= limit[group]]
    shown = first_of_trace(shown, scene.columns.start[shown], scene.columns.trace)
    codes = constant_codes(code, len(shown))
    return Shown(rows=shown, began=scene.columns.start[shown], codes=codes)
