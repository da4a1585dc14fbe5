"""Failed spans, and deliveries that fail again and again."""

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graphmind.telemetry.assembly import Columns
from graphmind.telemetry.numbering import numbered_texts
from graphmind.telemetry.spans import STATUS_OK
from graphmind.telemetry.symptoms.scene import Scene, Shown, constant_codes, first_of_trace
from graphmind.telemetry.tree import Bools, Ints, nearest, siblings

ROOT_SPEAKS_SHARE: Final = 0.2
"""Errors reach the root on this platform if at least this share of traces with errors has a
failed root (chosen: handled errors may well outnumber failures, so not one half)."""


def error(scene: Scene) -> Shown:
    """Failed spans that nobody handled; of each trace the one at which it started."""
    columns = scene.columns
    open_errors = scene.failed & ~_handled(scene)
    started = open_errors.copy()
    children = np.flatnonzero(open_errors & (columns.parent >= 0))
    started[columns.parent[children]] = False
    rows = np.flatnonzero(started)
    rows = first_of_trace(rows, columns.raised[rows], columns.trace)
    codes = scene.assembled.column("error_code").take(pa.array(rows)).combine_chunks()
    return Shown(rows=rows, began=columns.raised[rows], codes=codes)


def _handled(scene: Scene) -> Bools:
    """Errors that the trace survived.

    An ancestor says it went well, a later attempt or a fallback of the same agent succeeded, or
    the root did not fail on a platform whose errors do reach the root.
    """
    columns, failed = scene.columns, scene.failed
    handled = failed & (nearest(columns.parent, columns.status == STATUS_OK) >= 0)
    agent = numbered_texts(scene.assembled.column("agent"))
    model = pc.is_valid(scene.assembled.column("model_requested")).to_numpy()
    for kind in (scene.operation, np.where(model, agent, -1)):
        handled |= _made_good(columns, kind, failed)
    handled |= failed & (nearest(columns.parent, handled) >= 0)
    root_failed = failed[scene.traces.root] | ~scene.traces.rooted
    with_error = scene.traces.rooted & (scene.traces.errors > 0)
    if with_error.any() and root_failed[with_error].mean() >= ROOT_SPEAKS_SHARE:
        handled |= failed & ~root_failed[columns.trace]
    return handled


def _made_good(columns: Columns, kind: Ints, failed: Bools) -> Bools:
    """Failed spans with a later sibling of their kind that succeeded; kind -1 has none."""
    rows = siblings(columns.parent, failed)
    rows = rows[kind[rows] >= 0]
    group = _groups(columns.parent[rows], kind[rows])
    latest = np.full(int(group.max(initial=-1)) + 1, np.iinfo(np.int64).min)
    succeeded = ~failed[rows] & columns.ended[rows]
    np.maximum.at(latest, group[succeeded], columns.start[rows[succeeded]])
    good = np.zeros(len(failed), bool)
    good[rows] = failed[rows] & (latest[group] >= columns.end[rows])
    return good


def _groups(parent: Ints, kind: Ints) -> Ints:
    """Number the combinations of a parent and a kind, both at least 0."""
    group: Ints = np.unique(parent * (int(kind.max(initial=0)) + 1) + kind, return_inverse=True)[1]
    return group


def storm(scene: Scene) -> Shown:
    """Deliveries tried again and again, still failing."""
    columns, least = scene.columns, scene.settings.storm_attempts
    rows = siblings(columns.parent, scene.failed)
    group = _groups(columns.parent[rows], scene.operation[rows])
    count = int(group.max(initial=-1)) + 1
    failures = np.bincount(group[scene.failed[rows]], minlength=count)
    last = np.full(count, -1)
    np.maximum.at(last, group, rows)
    still_failing = (failures >= least) & scene.failed[last]
    tries = pc.fill_null(scene.assembled.column("retry_count"), 0).to_numpy()
    stormy = tries >= least
    stormy[rows] |= still_failing[group]
    rows = np.flatnonzero(scene.failed & stormy)
    rows = first_of_trace(rows, columns.raised[rows], columns.trace)
    return Shown(rows=rows, began=columns.raised[rows], codes=constant_codes("storm", len(rows)))
