"""Branches dispatched twice, and calls that go round in circles."""

from typing import Final

import numpy as np
import pyarrow.compute as pc

from graphmind.telemetry.grouped import group_quantile
from graphmind.telemetry.numbering import numbered
from graphmind.telemetry.symptoms.scene import (
    Scene,
    Shown,
    constant_codes,
    first_of_trace,
    nothing,
)
from graphmind.telemetry.tree import Bools, Ints

_FORK_DEPTH_MAX: Final = 2
"""Deeper repetition is iteration, not a second dispatch (chosen)."""


def fork(scene: Scene, healthy: Bools) -> Shown:
    """Branches dispatched twice under one task, where healthy traces have one."""
    columns, table = scene.columns, scene.assembled
    branches = pc.greater(table.column("children"), 0).to_numpy()
    rows = np.flatnonzero(branches & (columns.depth <= _FORK_DEPTH_MAX) & ~scene.failed)
    operation = scene.operation
    return _repeated(scene, healthy, rows, (operation, operation), "double dispatch", least=2)


def loop(scene: Scene, healthy: Bools) -> Shown:
    """One tool called over and over with the same arguments, where they are recorded.

    Compared among traces of a task, not of the tool: most calls of a tool may be part of a loop.
    """
    rows = np.flatnonzero(pc.is_valid(scene.assembled.column("tool")).to_numpy())
    call = numbered(scene.assembled, "tool", "name", "arguments")
    task = scene.traces.stratum[scene.columns.trace]
    return _repeated(scene, healthy, rows, (call, task), "repeated call", least=3)


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
