"""An incident, some of its traces and what they are compared with become a case."""

from collections.abc import Mapping
from math import log, log1p
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graphmind.classification.case import Case, features_of, lines_of
from graphmind.classification.structure import SymptomAt, failing_rows, tokens_in
from graphmind.classification.wording import lines_in
from graphmind.telemetry.facts import Facts

RATIO_MAX: Final = 1e3
"""Ratios beyond it say no more than this one (chosen)."""


def case_of(
    incident: Mapping[str, Any], spans: pa.Table, failing: Facts, healthy: pa.Table
) -> Case:
    """Return the case of an incident document, not yet labelled.

    ``spans`` (ASSEMBLED) and ``failing`` are of some of its failing traces, ``healthy`` (TRACES)
    are traces to compare them with; each may be empty, and says nothing then.
    """
    symptoms = _symptoms_at(failing)
    causes = incident["causes"]
    count = max(len(incident["trace_ids"]), 1)
    return Case(
        case_id=incident["incident_id"],
        symptom=incident["symptom"],
        cause_kinds=tuple(item["kind"] for item in causes[0]["all_of"]) if causes else (),
        codes=lines_of(
            {code: _short(coded / count) for code, coded in incident["error_codes"].items()}
        ),
        lines=lines_of(lines_in(spans, failing_rows(spans, symptoms))),
        structure=features_of(tokens_in(spans, symptoms)),
        numbers=features_of(
            _of_incident(incident)
            | _of_cause(causes[0] if causes else None)
            | _of_spans(spans)
            | _of_traces(failing, healthy)
        ),
    )


def _symptoms_at(failing: Facts) -> SymptomAt:
    shown = failing.symptoms.filter(pc.is_valid(failing.symptoms["channel"]))
    names = ("trace_id", "span_id", "kind")
    columns = (shown[name].to_pylist() for name in names)
    return {(trace, span): kind for trace, span, kind in zip(*columns, strict=True) if span}


def _of_incident(incident: Mapping[str, Any]) -> dict[str, float]:
    traces = len(incident["trace_ids"])
    coded = sum(incident["error_codes"].values())
    spread = {name: incident[f"{name}_count"] for name in ("task", "agent", "region")}
    return (
        {f"symptom {incident['symptom']}": 1.0}
        | {f"channel {channel}": 1.0 for channel in incident["channels"]}
        | {f"change {near['kind']}": 1.0 for near in incident["changes"] if near["of_cause"]}
        | {f"{name}s": _short(log1p(count)) for name, count in spread.items()}
        | {
            "traces": _short(log1p(traces)),
            "share in the root module": incident["root_module_share"],
            "unexplained share": incident["unexplained_share"],
            "depth of the root path": float(len(incident["root_path"].split(" > "))),
            "share with a code": _short(coded / max(traces, 1)),
            "kinds of codes": _short(log1p(len(incident["error_codes"]))),
        }
    )


def _of_cause(cause: Mapping[str, Any] | None) -> dict[str, float]:
    if cause is None:
        return {"no shared cause": 1.0}
    exposed = cause["failed_with"] + cause["passed_with"]
    return {f"cause {item['kind']}": 1.0 for item in cause["all_of"]} | {
        "confidence of the cause": cause["confidence"],
        "risk ratio": _short(log(min(max(cause["risk_ratio"], 1.0), RATIO_MAX))),
        "failing share of what touches the cause": _short(cause["failed_with"] / max(exposed, 1)),
        "bounded": float(cause["bounded"]),
        "tied causes": _short(log1p(len(cause["tied"]))),
    }


def _of_spans(spans: pa.Table) -> dict[str, float]:
    if not spans.num_rows:
        return {}
    traces = pc.count_distinct(spans["trace_row"]).as_py()
    retries = pc.sum(pc.fill_null(spans["retry_count"], 0)).as_py()
    fallbacks = pc.sum(pc.fill_null(spans["fallback"], False)).as_py() or 0
    return {
        "retries a trace": _short(log1p(retries / traces)),
        "fallbacks a trace": _short(log1p(fallbacks / traces)),
        "unended share": _short(spans["end_ns"].null_count / spans.num_rows),
        "kv share": _short(1 - spans["kv_key"].null_count / spans.num_rows),
    }


def _of_traces(failing: Facts, healthy: pa.Table) -> dict[str, float]:
    """Compare what failed with what did not: how long, how large, with how many errors."""
    traces = failing.traces
    if not traces.num_rows:
        return {}
    errors = traces["error_span_count"].to_numpy() / np.maximum(traces["span_count"].to_numpy(), 1)
    numbers = {
        "share of error spans": _short(float(np.median(errors))),
        "complete share": _short(pc.mean(pc.fill_null(traces["complete"], False)).as_py()),
    }
    for outcome, count in _counted(traces["outcome"]).items():
        numbers[f"outcome {outcome}"] = _short(count / traces.num_rows)
    for kind, count in _counted(failing.symptoms["kind"]).items():
        numbers[f"symptoms {kind}"] = _short(log1p(count / traces.num_rows))
    if healthy.num_rows:
        numbers["times as long"] = _log_ratio(traces["duration_ns"], healthy["duration_ns"])
        numbers["times as many spans"] = _log_ratio(traces["span_count"], healthy["span_count"])
    return numbers


def _counted(column: pa.ChunkedArray) -> dict[str, int]:
    counts = pc.value_counts(column.drop_null()).to_pylist()
    return {entry["values"]: entry["counts"] for entry in counts}


def _log_ratio(ours: pa.ChunkedArray, theirs: pa.ChunkedArray) -> float:
    own, other = (max(float(np.median(c.drop_null().to_numpy())), 1.0) for c in (ours, theirs))
    return _short(log(min(max(own / other, 1 / RATIO_MAX), RATIO_MAX)))


def _short(value: float) -> float:
    """Four decimals: what is archived stays legible."""
    return round(float(value), 4)
