"""Resolved spans in, facts out: the whole way through this room."""

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graphmind.settings import Settings
from graphmind.telemetry.aftermath import Aftermath, aftermath
from graphmind.telemetry.assembly import Columns, assemble
from graphmind.telemetry.facts import TRACES, Facts
from graphmind.telemetry.items import touched
from graphmind.telemetry.lineage import accesses
from graphmind.telemetry.numbering import numbered
from graphmind.telemetry.outline import outline
from graphmind.telemetry.rejections import Rejections
from graphmind.telemetry.symptoms import CHANNEL, Scene, Shown, find_symptoms, symptom_table
from graphmind.telemetry.tree import Ints

PATH_STEPS_MAX: Final = 12
"""A longer path keeps its last steps (chosen): what failed is at the end."""

_OUTCOMES: Final = {
    "hang": "hung",
    "error": "failed",
    "storm": "failed",
    "wrong": "wrong",
    "slow": "slow",
    "short": "short",
    "fork": "failed",
    "loop": "failed",
    "missing": "incomplete",
}


def derive(
    spans: pa.Table,
    settings: Settings,
    rejected: Rejections | None = None,
    *,
    now_ns: int | None = None,
) -> Facts:
    """Derive the facts of all traces in ``spans`` (schema RESOLVED, any order).

    ``now_ns`` is the time for spans that have not ended; without it the latest that the spans tell.
    """
    return derive_assembled(assemble(spans, rejected), settings, now_ns=now_ns)


def derive_assembled(
    assembled: pa.Table, settings: Settings, *, now_ns: int | None = None
) -> Facts:
    """Derive the facts of assembled traces; what is normal is measured among them."""
    columns = Columns.of(assembled)
    traces = outline(assembled, columns)
    latest = int(max(columns.end.max(initial=0), columns.start.max(initial=0)))
    scene = Scene(
        assembled=assembled,
        columns=columns,
        traces=traces,
        operation=numbered(assembled, "service", "name"),
        settings=settings,
        horizon=latest if now_ns is None else now_ns,
    )
    found = find_symptoms(scene)
    accessed = accesses(assembled, columns)
    return Facts(
        traces=_trace_table(scene, found),
        symptoms=symptom_table(scene, found),
        items=touched(assembled, columns, traces, _after(columns, found)),
        accesses=accessed,
    )


def _after(columns: Columns, found: dict[str, Shown]) -> Aftermath:
    """Tell what runs because of the symptoms; missing spans are none."""
    return aftermath(
        columns,
        [
            (found[name].rows, found[name].began)
            for name, channel in CHANNEL.items()
            if channel is not None
        ],
    )


def _trace_table(scene: Scene, found: dict[str, Shown]) -> pa.Table:
    traces, spans = scene.traces, scene.assembled
    outcome, fault = _outcomes(scene, found)
    root = pa.array(traces.root)
    fault_rows = pa.array(fault, mask=fault < 0)

    def at_root(name: str) -> pa.ChunkedArray:
        return spans.column(name).take(root)

    def at_fault(name: str) -> pa.ChunkedArray:
        return spans.column(name).take(fault_rows)

    columns = {
        "trace_id": at_root("trace_id"),
        "task": traces.task,
        "unit": traces.unit,
        "start_ns": traces.start,
        "duration_ns": traces.end - traces.start,
        "root_span_id": at_root("span_id"),
        "root_name": at_root("name"),
        "root_module": at_root("module"),
        "span_count": traces.spans,
        "error_span_count": traces.errors,
        "complete": traces.complete,
        "evaluated": _evaluated(scene),
        "weight": _weights(scene),
        "outcome": outcome,
        "error_code": at_fault("error_code"),
        "fault_span_id": at_fault("span_id"),
        "fault_module": at_fault("module"),
        "fault_path": _paths(scene, fault),
        "recovered": _any(scene, "recovery"),
        "fallback_applied": _any(scene, "fallback"),
        "continues": _continues(scene),
    }
    arrays = [
        pa.chunked_array([pa.array(columns[field.name])]).cast(field.type)
        if not isinstance(columns[field.name], pa.ChunkedArray)
        else columns[field.name].cast(field.type)
        for field in TRACES
    ]
    return pa.Table.from_arrays(arrays, schema=TRACES)


def _outcomes(scene: Scene, found: dict[str, Shown]) -> tuple[pa.Array, Ints]:
    """Return the outcome of each trace by its most telling symptom, and the span that shows it."""
    names = list(CHANNEL)
    symptom = np.full(scene.traces.count, len(names))
    fault = np.full(scene.traces.count, -1)
    for rank in reversed(range(len(names))):
        rows = found[names[rank]].rows
        symptom[scene.columns.trace[rows]] = rank
        if names[rank] != "missing":
            fault[scene.columns.trace[rows]] = rows
    words = pa.array([_OUTCOMES[name] for name in names] + ["ok"])
    return words.take(pa.array(symptom)), fault


def _evaluated(scene: Scene) -> pa.Array:
    """Whether anything judged the result: where nothing did, a wrong result does not show."""
    spans = scene.assembled
    judged = pc.or_(pc.is_valid(spans["result"]), pc.is_valid(spans["quality"])).to_numpy()
    counts = np.bincount(scene.columns.trace[judged], minlength=scene.traces.count)
    return pa.array(counts > 0)


def _weights(scene: Scene) -> pa.Array:
    """1 / sampling probability: the largest that a span of the trace states.

    Services sample their parts of a trace apart: what one keeps for an error, another draws by lot,
    and the trace is seen if any part of it is kept.
    """
    stated = pc.fill_null(scene.assembled.column("sample_probability"), 0.0).to_numpy()
    largest = np.zeros(scene.traces.count)
    np.maximum.at(largest, scene.columns.trace, np.clip(stated, 0.0, 1.0))
    return pa.array(1 / np.where(largest > 0, np.maximum(largest, 1e-6), 1.0))


def _paths(scene: Scene, fault: Ints) -> pa.Array:
    """Write the names from the root down to the fault."""
    parent = scene.columns.parent
    name_of = _names_above(scene, fault)
    paths: list[str | None] = []
    for row in fault.tolist():
        steps: list[str] = []
        while row >= 0 and len(steps) < PATH_STEPS_MAX:
            steps.append(name_of[row] or "?")
            row = int(parent[row])  # noqa: PLW2901 - walks up
        paths.append(" > ".join(reversed(steps)) or None)
    return pa.array(paths, pa.string())


def _names_above(scene: Scene, fault: Ints) -> dict[int, str | None]:
    """Return the names of the faults and of the spans above them, by row."""
    levels = [fault[fault >= 0]]
    for _ in range(PATH_STEPS_MAX - 1):
        above = scene.columns.parent[levels[-1]]
        levels.append(np.unique(above[above >= 0]))
    rows = np.unique(np.concatenate(levels))
    names = scene.assembled.column("name").take(pa.array(rows))
    return dict(zip(rows.tolist(), names.to_pylist(), strict=True))


def _any(scene: Scene, name: str) -> pa.Array:
    """Whether any span of the trace says so."""
    said = pc.fill_null(scene.assembled.column(name), False).to_numpy()
    return pa.array(np.bincount(scene.columns.trace[said], minlength=scene.traces.count) > 0)


def _continues(scene: Scene) -> pa.Array:
    """Traces that a trace's spans link to, sorted, each once."""
    links = scene.assembled.column("links").combine_chunks()
    linked: list[set[str]] = [set() for _ in range(scene.traces.count)]
    lengths = pc.fill_null(pc.list_value_length(links), 0).to_numpy(zero_copy_only=False)
    for row in np.flatnonzero(lengths).tolist():
        linked[scene.columns.trace[row]] |= {link["trace_id"] for link in links[row].as_py()}
    own = scene.assembled.column("trace_id").take(pa.array(scene.traces.root)).to_pylist()
    return pa.array(
        [sorted(ids - {me, None}) for ids, me in zip(linked, own, strict=True)],
        pa.list_(pa.string()),
    )
