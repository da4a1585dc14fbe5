"""Takes the fingerprints of incidents from some of their failing traces."""

from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graphmind.incidents.incident import Item
from graphmind.matching.names import cause_class, plain_code, plain_operation
from graphmind.matching.record import Fingerprint, Signature, digest
from graphmind.matching.signatures import log_signature, metric_signature
from graphmind.matching.structure import DIGITS, find_shapes, share
from graphmind.telemetry.facts import Facts
from graphmind.telemetry.grouped import Floats
from graphmind.telemetry.spans import STATUS_ERROR
from graphmind.telemetry.tree import Bools

TRACES_MAX: Final = 16
"""Traces of an incident that its fingerprint is taken of (measured: section 9, 8 to 16)."""


def choose_traces(starts: pa.Table) -> list[str]:
    """Choose traces spread evenly over the rows of a table of trace_id and start_ns.

    Ordered by start; ids decide only between traces that began in the same nanosecond.
    """
    keys = [("start_ns", "ascending"), ("trace_id", "ascending")]
    ordered = starts["trace_id"].take(pc.sort_indices(starts, sort_keys=keys))
    places = np.unique(np.linspace(0, len(ordered) - 1, min(TRACES_MAX, len(ordered))).round())
    chosen: list[str] = ordered.take(pa.array(places.astype(np.int64))).to_pylist()
    return chosen


def take_fingerprints(
    incidents: Sequence[Mapping[str, Any]],
    chosen: Sequence[Sequence[str]],
    spans: pa.Table,
    facts: Facts,
    logged: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> list[Fingerprint]:
    """Take the fingerprint of each incident, given as its document.

    ``chosen`` names the traces to take each from; at least one of each is in ``spans``
    (ASSEMBLED). ``facts`` are of the traces chosen and of the incidents' survivors; ``logged`` are
    texts that each trace logged.
    """
    failing = _failing(spans, facts.symptoms)
    shapes = find_shapes(spans, failing)
    first = np.unique(spans["trace_row"].to_numpy(), return_index=True)[1]
    row_of = {name: row for row, name in enumerate(spans["trace_id"].take(first).to_pylist())}
    rows = [np.array(sorted(row_of[i] for i in ids if i in row_of), np.int64) for ids in chosen]
    said, retries = _said(spans, failing, len(row_of)), _retries(spans, len(row_of))
    for name, row in row_of.items():
        said[row] += logged.get(name, ())
    return [
        Fingerprint(
            structure=shared.weights,
            error_codes=_error_codes(incident),
            cause_class=_cause_class(incident),
            failing_path=plain_operation(incident["root_path"]),
            signature=Signature(
                structure_fingerprint=digest(*shared.failing),
                metric_signature=_metric_signature(incident, ids, facts, retries[own]),
                log_signature=log_signature([said[row] for row in own.tolist()]),
            ),
        )
        for incident, ids, own, shared in zip(
            incidents, chosen, rows, share(shapes, rows), strict=True
        )
    ]


def _failing(spans: pa.Table, symptoms: pa.Table) -> Bools:
    """Spans that ended with an error or show a symptom."""
    shown = symptoms.filter(pc.and_(pc.is_valid(symptoms["channel"]), _has_span(symptoms)))
    symptomatic = pc.is_in(_places(spans), value_set=_places(shown).combine_chunks())
    failing: Bools = pc.or_(pc.equal(spans["status"], STATUS_ERROR), symptomatic).to_numpy()
    return failing


def _has_span(symptoms: pa.Table) -> pa.ChunkedArray:
    return pc.is_valid(symptoms["span_id"])


def _places(rows: pa.Table) -> pa.ChunkedArray:
    """Name each span by its trace and its id."""
    return pc.binary_join_element_wise(rows["trace_id"], rows["span_id"], "/")


def _error_codes(incident: Mapping[str, Any]) -> dict[str, float]:
    """Return the share of each error code; what has none is counted under its symptom."""
    counts: Counter[str] = Counter()
    for code, count in incident["error_codes"].items():
        counts[plain_code(code)] += count
    silent = len(incident["trace_ids"]) - counts.total()
    if silent > 0:
        counts[f"({incident['symptom']})"] += silent
    shares = {code: round(n / counts.total(), DIGITS) for code, n in sorted(counts.items())}
    return {code: share for code, share in shares.items() if share}


def _cause_class(incident: Mapping[str, Any]) -> str | None:
    causes = incident["causes"]
    items = causes[0]["all_of"] if causes else ()
    return cause_class(tuple(Item(kind=item["kind"], name=item["name"]) for item in items))


def _metric_signature(
    incident: Mapping[str, Any], chosen: Sequence[str], facts: Facts, retries: Floats
) -> dict[str, int]:
    failing = _of_traces(facts.traces, chosen)
    storms = _of_traces(facts.symptoms, chosen)
    stormy = pc.count_distinct(storms.filter(pc.equal(storms["kind"], "storm"))["trace_id"]).as_py()
    return metric_signature(
        failing,
        _of_traces(facts.traces, incident["survivors"]),
        retries,
        storms=stormy / max(failing.num_rows, 1),
    )


def _of_traces(table: pa.Table, trace_ids: Sequence[str]) -> pa.Table:
    return table.filter(pc.is_in(table["trace_id"], value_set=pa.array(trace_ids, pa.string())))


def _said(spans: pa.Table, failing: Bools, traces: int) -> list[list[str]]:
    """Return what the failing spans of each trace say: messages and error codes."""
    said: list[list[str]] = [[] for _ in range(traces)]
    speaking = spans.select(["trace_row", "status_message", "error_code"]).filter(pa.array(failing))
    for row in speaking.to_pylist():
        said[row["trace_row"]] += filter(None, (row["status_message"], row["error_code"]))
    return said


def _retries(spans: pa.Table, traces: int) -> Floats:
    """Return the largest number of retries in each trace."""
    most = np.zeros(traces)
    counts = pc.fill_null(spans["retry_count"], 0).to_numpy()
    np.maximum.at(most, spans["trace_row"].to_numpy(), counts)
    return most
