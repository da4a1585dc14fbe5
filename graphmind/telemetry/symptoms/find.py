"""Runs every symptom over a scene. To add one: a function, its line in a table here, its test."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np
import pyarrow as pa

from graphmind.telemetry.facts import SYMPTOMS
from graphmind.telemetry.numbering import numbered
from graphmind.telemetry.peers import peers
from graphmind.telemetry.symptoms.durations import hang, hang_or_cut, short, slow
from graphmind.telemetry.symptoms.errors import error, storm
from graphmind.telemetry.symptoms.gaps import missing
from graphmind.telemetry.symptoms.repetitions import fork, loop
from graphmind.telemetry.symptoms.results import wrong, wrong_or_low
from graphmind.telemetry.symptoms.scene import Scene, Shown, traces_with, where
from graphmind.telemetry.tree import Bools

CHANNEL: Final = {
    "hang": "latency",
    "error": "error",
    "storm": "error",
    "wrong": "quality",
    "slow": "latency",
    "short": "error",
    "fork": "loop",
    "loop": "loop",
    "missing": None,
}
"""The channel of each symptom, most telling symptom first; `missing` is no failure."""

ABSOLUTE: Final[dict[str, Callable[[Scene], Shown]]] = {
    "error": error,
    "storm": storm,
    "hang": hang,
    "wrong": wrong,
}
"""Symptoms that need no comparison; what is normal is measured on traces that show none."""

RELATIVE: Final[dict[str, Callable[[Scene, Bools], Shown]]] = {
    "hang": hang_or_cut,
    "wrong": wrong_or_low,
    "slow": slow,
    "short": short,
    "fork": fork,
    "loop": loop,
    "missing": missing,
}
"""Symptoms against what is normal; they replace the absolute one of the same name."""

EXCLUDED_BY: Final = {
    "wrong": ("error", "hang"),
    "slow": ("hang",),
    "short": ("error", "hang", "wrong"),
    "missing": ("hang",),
}
"""A trace that shows one of these does not show the symptom besides: it follows from them."""


def find_symptoms(scene: Scene) -> dict[str, Shown]:
    """Return the spans that show each symptom, at most one a trace."""
    found = {name: symptom(scene) for name, symptom in ABSOLUTE.items()}
    healthy = scene.traces.complete.copy()
    for shown in found.values():
        healthy[scene.columns.trace[shown.rows]] = False
    # Not by version: a version that is slow from its first call on would be its own measure.
    variant = numbered(scene.assembled, "service", "name", "tool", "model_requested")
    normal = peers(
        scene.operation, scene.columns, scene.traces, healthy, scene.settings, variant=variant
    )
    scene = replace(scene, peers=normal)
    for name, symptom in RELATIVE.items():
        excluded = traces_with(scene, found, EXCLUDED_BY.get(name, ()))
        shown = symptom(scene, healthy)
        found[name] = where(shown, ~excluded[scene.columns.trace[shown.rows]])
    return found


def symptom_table(scene: Scene, found: dict[str, Shown]) -> pa.Table:
    """Write symptoms as rows of SYMPTOMS, sorted by trace, most telling first."""
    rows = np.concatenate([found[name].rows for name in CHANNEL])
    sizes = [len(found[name].rows) for name in CHANNEL]
    kinds = np.repeat(np.arange(len(CHANNEL)), sizes)
    order = np.lexsort((kinds, scene.columns.trace[rows]))
    names = pa.array(list(CHANNEL)).take(pa.array(kinds[order]))
    channels = pa.array(list(CHANNEL.values())).take(pa.array(kinds[order]))
    span = pa.array(rows[order])
    at = scene.assembled
    began = np.concatenate([found[name].began for name in CHANNEL])[order]
    codes = pa.concat_arrays([found[name].codes for name in CHANNEL]).take(pa.array(order))
    columns = [at.column(name).take(span) for name in ("trace_id", "span_id", "module")]
    return pa.Table.from_arrays(
        [columns[0], names, channels, pa.array(began), columns[1], columns[2], codes],
        schema=SYMPTOMS,
    )
