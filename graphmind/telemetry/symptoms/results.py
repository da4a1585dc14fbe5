"""Results that came back well and are wrong."""

import numpy as np
import pyarrow.compute as pc

from graphmind.telemetry.grouped import robust
from graphmind.telemetry.symptoms.scene import (
    Scene,
    Shown,
    constant_codes,
    either,
    first_of_trace,
    nothing,
)
from graphmind.telemetry.tree import Bools


def wrong(scene: Scene) -> Shown:
    """Results that an evaluation or a user called wrong."""
    wrong = pc.fill_null(pc.equal(scene.assembled.column("result"), "wrong"), False).to_numpy()
    rows = np.flatnonzero(wrong)
    rows = first_of_trace(rows, scene.columns.end[rows], scene.columns.trace)
    return Shown(
        rows=rows, began=scene.columns.end[rows], codes=constant_codes("wrong result", len(rows))
    )


def _low(scene: Scene, healthy: Bools) -> Shown:
    """Results whose score is low against the scores of the same task."""
    columns, traces = scene.columns, scene.traces
    quality = scene.assembled.column("quality")
    rows = np.flatnonzero(pc.is_valid(quality).to_numpy())
    if not len(rows):
        return nothing()
    trace = columns.trace[rows]
    scores = pc.fill_null(quality, 0.0).to_numpy()[rows]
    scored = np.bincount(trace, minlength=traces.count)
    mean = np.bincount(trace, scores, traces.count) / np.maximum(scored, 1)
    own = np.flatnonzero((scored > 0) & (healthy | ~traces.complete))
    strata = int(traces.stratum.max()) + 1
    usual = robust(mean[own], traces.stratum[own], strata, least=scene.settings.baseline_traces)
    floor = usual.median - scene.settings.slow_mad * usual.deviation
    low = (scored > 0) & (mean < floor[traces.stratum])
    rows = rows[low[trace]]
    rows = first_of_trace(rows, columns.end[rows], columns.trace)
    return Shown(rows=rows, began=columns.end[rows], codes=constant_codes("low score", len(rows)))


def wrong_or_low(scene: Scene, healthy: Bools) -> Shown:
    """Results called wrong, and those with a low score."""
    return either(scene, wrong(scene), _low(scene, healthy))
