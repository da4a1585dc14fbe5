"""Which traces are unlike the usual ones: the answer where no label and no incident speaks."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graphmind.analysis.behaviour.document import from_document, to_document
from graphmind.analysis.behaviour.groups import directions
from graphmind.analysis.behaviour.model import HELD_OUT, Model, Scored, train
from graphmind.analysis.behaviour.pooling import COLUMNS
from graphmind.analysis.behaviour.spans import Traces, read_traces
from graphmind.analysis.behaviour.verdicts import VERDICTS, describe, is_anomalous, unknown
from graphmind.archive.port import Archive, Selection
from graphmind.errors import StoreError
from graphmind.settings import Settings
from graphmind.telemetry.assembly import assemble
from graphmind.telemetry.facts import RESOLVED
from graphmind.telemetry.grouped import Floats
from graphmind.telemetry.numbering import joined
from graphmind.telemetry.tree import Bools, Ints

MODELS: Final = "model"
"""Kind of the archive's documents that models are."""
MODEL_ID: Final = "behaviour"
SPANS_MAX: Final = 500_000
"""Spans read at once: bounds memory at about 1.5 GB (chosen)."""
TRAINED_ON: Final = 20_000
"""Traces read for training, healthy or not, evenly over the time selected (chosen)."""
CHECKED_ON: Final = 2_000
"""Traces whose distribution is compared with the model's fingerprint (chosen)."""
DRIFT_MAX: Final = 0.25
"""Population stability index above which the data has changed (Siddiqi 2006)."""
MODEL_AGE_MAX_MS: Final = 7 * 86_400_000
"""A model is trained anew after a week, whatever the fingerprint says (chosen)."""

log = logging.getLogger(__name__)


def score_traces(
    archive: Archive, settings: Settings, selection: Selection, now_ms: int
) -> pa.Table:
    """Return VERDICTS of the traces selected, in order of their start.

    A model is trained and stored if none is kept, the one kept cannot be read or is a week old, or
    the data has changed since. Groups of anomalous traces that are new are stored with it.
    """
    clusters = _incident_clusters(archive)
    model = _fitting_model(archive, settings, selection, now_ms)
    if model is None:
        trace_ids = joined(_in_time_order(archive, selection))
        return unknown(trace_ids, [clusters.get(own) for own in trace_ids.to_pylist()])
    verdicts, anomalies = [], _Anomalies()
    for spans in archive.span_batches(selection, SPANS_MAX):
        traces = read_traces(assemble(spans))
        scored = model.score(traces)
        own = [clusters.get(trace_id) for trace_id in traces.trace_ids.to_pylist()]
        verdicts.append(describe(traces, scored, own))
        anomalies.add(scored, np.array([cluster is None for cluster in own], bool))
    table = pa.concat_tables(verdicts) if verdicts else VERDICTS.empty_table()
    return _with_groups(table, anomalies.rows(), _groups(archive, model, anomalies.directions()))


# ------------------------------------------------------------------------------------- the model


def _fitting_model(
    archive: Archive, settings: Settings, selection: Selection, now_ms: int
) -> Model | None:
    """Return the model kept if it still fits, else a new one, or None with too little to learn."""
    kept = _kept(archive)
    if kept is not None and now_ms - kept.trained_ms <= MODEL_AGE_MAX_MS:
        sample = _sample(archive, selection, CHECKED_ON)
        drift = kept.fingerprint.distance(sample, _healthy(archive, sample))
        if drift <= DRIFT_MAX:
            return kept
        log.info("behaviour model outdated: drift=%.2f", drift)
    sample = _sample(archive, selection, TRAINED_ON)
    healthy = _healthy(archive, sample)
    # One part of HELD_OUT sets the limit: that part, too, must be a baseline.
    if healthy.sum() < HELD_OUT * settings.baseline_traces:
        return kept
    groups = kept.groups if kept is not None else None
    return _store(archive, train(sample, healthy, trained_ms=now_ms, groups=groups))


def _kept(archive: Archive) -> Model | None:
    document = archive.documents(MODELS).get(MODEL_ID)
    if document is None:
        return None
    try:
        return from_document(document)
    except StoreError as error:
        log.warning("behaviour model ignored: %s", error)
        return None


def _store(archive: Archive, model: Model) -> Model:
    """Keep a model; return it as it is kept, so that every run scores with the same numbers."""
    document = to_document(model)
    archive.replace_documents(MODELS, {MODEL_ID: document})
    return from_document(document)


def _sample(archive: Archive, selection: Selection, traces_max: int) -> Traces:
    """Read traces evenly over time, of so many spans as are read at once."""
    trace_ids = _in_time_order(archive, selection)
    stride = max(-(-len(trace_ids) // traces_max), 1)
    chosen = joined(trace_ids.take(pa.array(np.arange(0, len(trace_ids), stride))))
    first = next(archive.span_batches(Selection(trace_ids=chosen), SPANS_MAX), None)
    return read_traces(assemble(RESOLVED.empty_table() if first is None else first))


def _in_time_order(archive: Archive, selection: Selection) -> pa.ChunkedArray:
    starts = archive.starts(selection)
    timed = starts.filter(pc.is_valid(starts["start_ns"]))
    return timed.sort_by([("start_ns", "ascending"), ("trace_id", "ascending")])["trace_id"]


def _healthy(archive: Archive, traces: Traces) -> Bools:
    """Return which traces may teach what is usual: clean, and ok by their facts if those are known.

    A trace that recovered from an error is ok but not usual: such ones would raise the limit.
    """
    facts = archive.queries.traces(traces.trace_ids)
    failed = facts.filter(pc.not_equal(facts["outcome"], "ok"))["trace_id"]
    is_failed = pc.is_in(traces.trace_ids, value_set=joined(failed))
    healthy: Bools = traces.clean & ~is_failed.to_numpy(zero_copy_only=False)
    return healthy


# ---------------------------------------------------------------------------------- the clusters


@dataclass(kw_only=True)
class _Anomalies:
    """Anomalous traces outside incidents, noted batch by batch."""

    _rows: list[Ints] = field(default_factory=list)
    _residuals: list[Floats] = field(default_factory=list)
    _traces: int = 0

    def add(self, scored: Scored, unexplained: Bools) -> None:
        """Note those of one batch."""
        own = np.flatnonzero(is_anomalous(scored) & unexplained)
        self._rows.append(own + self._traces)
        self._residuals.append(scored.residuals[own])
        self._traces += len(unexplained)

    def rows(self) -> Ints:
        """Return their rows in the whole table."""
        return np.concatenate([np.zeros(0, np.int64), *self._rows])

    def directions(self) -> Floats:
        """Return how each is unusual."""
        if not self._residuals:
            return np.zeros((0, len(COLUMNS)))
        return directions(np.vstack(self._residuals))


def _incident_clusters(archive: Archive) -> Mapping[str, str]:
    """Return the cluster of each trace that an incident explains; of several, the first by id."""
    clusters: dict[str, str] = {}
    for incident in archive.incidents():
        cluster_id = str(incident["cluster_id"])
        for trace_id in incident["trace_ids"]:  # type: ignore[attr-defined]  # a JSON list
            clusters.setdefault(trace_id, cluster_id)
    return clusters


def _groups(archive: Archive, model: Model, unusual: Floats) -> Ints:
    """Return the group of each direction, 0 for none; keep the groups that are new."""
    extended = model.groups.extended(unusual)
    if extended is not model.groups:
        model = _store(archive, replace(model, groups=extended))
    return model.groups.label(unusual)


def _with_groups(table: pa.Table, rows: Ints, groups: Ints) -> pa.Table:
    """Name the group of each anomalous trace that has one."""
    named = table["matched_cluster_id"].to_pylist()
    for row, number in zip(rows.tolist(), groups.tolist(), strict=True):
        if number:
            named[row] = f"BEHAVIOUR_{number:02}"
    column = table.schema.get_field_index("matched_cluster_id")
    return table.set_column(column, VERDICTS.field(column), pa.array(named, pa.string()))
