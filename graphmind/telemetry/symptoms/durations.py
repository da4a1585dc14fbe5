"""Hangs, slow traces, and traces that end too early."""

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graphmind.telemetry.grouped import Floats
from graphmind.telemetry.peers import log_ns
from graphmind.telemetry.symptoms.scene import (
    SECOND_NS,
    Scene,
    Shown,
    constant_codes,
    either,
    first_of_trace,
    normal,
    nothing,
)
from graphmind.telemetry.tree import Bools, Ints, nearest

_CUT_SHARE: Final = 0.75
"""A trace without root and fewer than this share of the usual spans was cut by a hang (chosen)."""
_NEARLY_ALL: Final = 0.9
"""Share of an operation's calls that makes a long duration normal and not an incident (chosen)."""


def hang(scene: Scene) -> Shown:
    """Model-side spans over the limit that nothing follows, ended or not, and cut traces."""
    columns, traces = scene.columns, scene.traces
    lasted = np.where(columns.ended, columns.end, scene.horizon) - columns.start
    limit = _limits(scene, lasted)
    last_start = np.full(traces.count, np.iinfo(np.int64).min)
    np.maximum.at(last_start, columns.trace, columns.start)
    followed = columns.ended & (last_start[columns.trace] > columns.end)
    hung = (_model_side(scene) | ~columns.ended) & (lasted > limit) & ~followed
    inner = np.flatnonzero(hung & (columns.parent >= 0))
    outer = columns.parent[inner]
    hung[outer[~columns.ended[outer] | columns.ended[inner]]] = False
    rows = np.flatnonzero(hung)
    rows = first_of_trace(rows, columns.start[rows], columns.trace)
    began = columns.start[rows] + np.minimum(limit[rows], lasted[rows]).astype(np.int64)
    codes = scene.assembled.column("error_code").take(pa.array(rows)).combine_chunks()
    return Shown(rows=rows, began=began, codes=pc.fill_null(codes, "hang"))


def _limits(scene: Scene, lasted: Ints) -> Floats:
    """Return how long each span may run: the setting, or longer where that is normal.

    Healthy traces say what is normal. Before it is known which are healthy, an operation whose
    calls nearly all outlast the setting, and end well, has no limit.
    """
    setting = scene.settings.hang_after_s * SECOND_NS
    limit = np.full(len(lasted), setting)
    if scene.peers is not None:
        usual = scene.peers.span_total
        slowest = np.exp(usual.median + scene.settings.slow_mad * usual.deviation)
        longer: Floats = np.fmax(limit, slowest[scene.operation])
        return longer
    well = np.flatnonzero(scene.columns.ended & ~scene.failed)
    calls = np.bincount(scene.operation[well], minlength=int(scene.operation.max(initial=0)) + 1)
    over = np.bincount(scene.operation[well[lasted[well] > setting]], minlength=len(calls))
    takes_long = (over > _NEARLY_ALL * calls) & (calls >= scene.settings.baseline_traces)
    limit[takes_long[scene.operation]] = np.inf
    return limit


def _model_side(scene: Scene) -> Bools:
    table = scene.assembled
    has = pc.or_(pc.is_valid(table["model_version"]), pc.is_valid(table["model_requested"]))
    return nearest(scene.columns.parent, has.to_numpy()) >= 0


def _cut(scene: Scene, healthy: Bools) -> Shown:
    """Traces whose root and last steps never came: what hangs is exported only when it ends."""
    traces, columns = scene.traces, scene.columns
    if not healthy.any():
        return nothing()
    usual = float(np.median(traces.spans[healthy]))
    waited = scene.horizon - traces.start > _patience(scene)
    waited &= scene.horizon - traces.end > scene.settings.hang_after_s * SECOND_NS
    cut = ~traces.rooted & waited & (traces.spans < _CUT_SHARE * usual)
    rows = np.flatnonzero(cut[columns.trace])
    rows = first_of_trace(rows, -columns.end[rows], columns.trace)
    return Shown(rows=rows, began=columns.end[rows], codes=constant_codes("never ended", len(rows)))


def _patience(scene: Scene) -> Floats:
    """Return how long each trace may take from its start: as its task does, or as the slowest."""
    usual = normal(scene).trace_time
    slowest = np.exp(usual.median + scene.settings.slow_mad * usual.deviation)
    longest = np.nanmax(slowest, initial=scene.settings.hang_after_s * SECOND_NS)
    own = slowest[scene.traces.stratum]
    patience: Floats = np.where(np.isnan(own), longest, own)
    return patience


def hang_or_cut(scene: Scene, healthy: Bools) -> Shown:
    """Hangs, and traces that a hang cut off."""
    return either(scene, hang(scene), _cut(scene, healthy))


def slow(scene: Scene, _healthy: Bools) -> Shown:
    """Traces slow for the steps they took, in all or step by step; where is the largest excess."""
    traces, usual = scene.traces, normal(scene).trace_work
    excess = normal(scene).work - usual.median[traces.stratum]
    slow = excess > scene.settings.slow_mad * usual.deviation[traces.stratum]
    pace = normal(scene).trace_pace
    behind = normal(scene).pace - pace.median[traces.stratum]
    slow |= behind > scene.settings.slow_mad * pace.deviation[traces.stratum]
    slow &= excess > np.log(scene.settings.slow_ratio)
    # Where spans are missing, their parents seem to do their work: the whole must be late as well.
    whole = normal(scene).trace_time
    late = log_ns(traces.end - traces.start) - whole.median[traces.stratum]
    slow &= traces.complete | (late > scene.settings.slow_mad * whole.deviation[traces.stratum])
    return _largest_excess(scene, slow & traces.rooted, "slow")


def short(scene: Scene, _healthy: Bools) -> Shown:
    """Traces that ended well but too early: much quicker than usual, and steps are missing."""
    traces, usual_spans = scene.traces, normal(scene).span_count
    usual = normal(scene).trace_time
    lack = usual.median[traces.stratum] - log_ns(traces.end - traces.start)
    short = lack > scene.settings.slow_mad * usual.deviation[traces.stratum]
    short &= lack > np.log(scene.settings.slow_ratio)
    short &= traces.complete & (traces.spans < usual_spans[traces.stratum])
    rows = np.flatnonzero(short[scene.columns.trace] & (scene.columns.depth > 0))
    rows = first_of_trace(rows, -scene.columns.end[rows], scene.columns.trace)
    return Shown(
        rows=rows, began=scene.columns.end[rows], codes=constant_codes("ended early", len(rows))
    )


def _largest_excess(scene: Scene, traces: Bools, code: str) -> Shown:
    columns, peers = scene.columns, normal(scene)
    expected = np.exp(peers.span_time)
    excess = np.nan_to_num(columns.self_ns - expected, nan=0.0)
    rows = np.flatnonzero(traces[columns.trace])
    rows = first_of_trace(rows, -excess[rows], columns.trace)
    usual = np.nan_to_num(expected[rows], nan=0.0).astype(np.int64)
    began = np.minimum(columns.start[rows] + usual, columns.end[rows])
    return Shown(rows=rows, began=began, codes=constant_codes(code, len(rows)))
