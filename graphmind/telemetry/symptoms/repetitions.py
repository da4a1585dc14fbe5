"""Branches dispatched twice, and calls that go round in circles."""

from typing import Final

import numpy as np
import pyarrow.compute as pc

from graphmind.telemetry.grouped import group_quantile
from graphmind.telemetry.peers import numbered
from graphmind.telemetry.symptoms.scene import (
    Scene,
    Shown,
    constant_codes,
    first_of_trace,
    normal,
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
    return _repeated(scene, healthy, rows, normal(scene).operation, "double dispatch", least=2)


def loop(scene: Scene, healthy: Bools) -> Shown:
    """One tool called over and over."""
    rows = np.flatnonzero(pc.is_valid(scene.assembled.column("tool")).to_numpy())
    key = numbered(scene.assembled, "tool", "name")
    return _repeated(scene, healthy, rows, key, "repeated call", least=3)


def _repeated(
    scene: Scene, healthy: Bools, rows: Ints, key: Ints, code: str, *, least: int
) -> Shown:
    """Rows at which the repetitions of a key in a trace exceed what healthy traces show.

    The limit is 2 q80 + 1 of the healthy counts for loops (algorithms.md, section 1), at least
    ``least``; a key that healthy traces hold once has the limit ``least``.
    """
    if not len(rows):
        return nothing()
    trace = scene.columns.trace[rows]
    width = int(key.max(initial=0)) + 1
    pairs, group = np.unique(trace * width + key[rows], return_inverse=True)
    counts = np.bincount(group)
    reference = np.flatnonzero(healthy[pairs // width])
    usual = group_quantile(counts[reference].astype(float), (pairs % width)[reference], width, 0.8)
    observed = np.bincount((pairs % width)[reference], minlength=width)
    usual[observed < scene.settings.baseline_traces] = np.nan
    limit = np.where(usual <= 1, least, 2 * usual + 1)[pairs % width]
    order = np.lexsort((scene.columns.start[rows], group))
    nth = np.empty(len(rows), np.int64)
    nth[order] = np.arange(len(rows)) - (np.cumsum(counts) - counts)[group[order]] + 1
    over = nth >= limit[group]
    rows = rows[over]
    rows = first_of_trace(rows, scene.columns.start[rows], scene.columns.trace)
    return Shown(rows=rows, began=scene.columns.start[rows], codes=constant_codes(code, len(rows)))
