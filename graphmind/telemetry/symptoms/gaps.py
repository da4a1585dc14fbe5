"""Traces with missing spans: kept apart from failures."""

import numpy as np

from graphmind.telemetry.symptoms.scene import Scene, Shown, constant_codes, first_of_trace
from graphmind.telemetry.tree import Bools


def missing(scene: Scene, _healthy: Bools) -> Shown:
    """Gaps in the tree: a collector lost spans, or they have not come yet."""
    rows = np.flatnonzero(~scene.traces.complete[scene.columns.trace])
    rows = first_of_trace(rows, scene.columns.start[rows], scene.columns.trace)
    return Shown(
        rows=rows, began=scene.columns.start[rows], codes=constant_codes("missing spans", len(rows))
    )
