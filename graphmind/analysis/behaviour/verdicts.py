"""What is said of each trace: how unusual, with which others, where, and what to do."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pyarrow as pa

from graphmind.analysis.behaviour.model import Scored
from graphmind.analysis.behaviour.origin import ASPECTS, find_origins
from graphmind.analysis.behaviour.spans import Traces
from graphmind.telemetry.tree import Bools

VERDICTS: Final = pa.schema(
    [
        pa.field("trace_id", pa.string()),
        # Of its incident, else of the group of anomalous traces it resembles; null for neither.
        pa.field("matched_cluster_id", pa.string()),
        # 1 is the 99th percentile of healthy traces; null where nothing is known of them.
        pa.field("anomaly_score", pa.float64()),
        # Id of the span where it is most unusual; null for a usual trace outside incidents.
        pa.field("root_span", pa.string()),
        pa.field("suggested_action", pa.string()),
    ]
)
ANOMALOUS: Final = 1.0
"""Score from which a trace is anomalous."""
NONE, COMPARE, UNKNOWN = "none", "compare with cluster", "wait for more healthy traces"
INSPECT: Final[Mapping[str, str]] = {aspect: f"inspect span: {aspect}" for aspect in ASPECTS}
"""Suggested actions; a repair is proposed for incidents only, whose cause is known."""


def describe(traces: Traces, scored: Scored, cluster_ids: Sequence[str | None]) -> pa.Table:
    """Return VERDICTS of the traces, in their order; ``cluster_ids`` are those of incidents."""
    explained = np.array([cluster_id is not None for cluster_id in cluster_ids], bool)
    asked = explained | is_anomalous(scored)
    origin = find_origins(traces, scored, asked)
    span_row = np.full(traces.count, -1)
    span_row[asked] = origin.span
    actions = np.full(traces.count, NONE, object)
    actions[asked] = [INSPECT[ASPECTS[aspect]] for aspect in origin.aspect]
    actions[explained] = COMPARE
    return pa.table(
        {
            "trace_id": traces.trace_ids,
            "matched_cluster_id": pa.array(cluster_ids, pa.string()),
            "anomaly_score": scored.scores,
            "root_span": traces.span_ids.take(pa.array(span_row, mask=~asked)),
            "suggested_action": pa.array(actions, pa.string()),
        },
        schema=VERDICTS,
    )


def unknown(trace_ids: pa.Array, cluster_ids: Sequence[str | None]) -> pa.Table:
    """Return VERDICTS of traces where too few healthy ones say what is usual."""
    count = len(trace_ids)
    actions = [UNKNOWN if cluster_id is None else COMPARE for cluster_id in cluster_ids]
    return pa.table(
        {
            "trace_id": trace_ids,
            "matched_cluster_id": pa.array(cluster_ids, pa.string()),
            "anomaly_score": pa.nulls(count, pa.float64()),
            "root_span": pa.nulls(count, pa.string()),
            "suggested_action": pa.array(actions, pa.string()),
        },
        schema=VERDICTS,
    )


def is_anomalous(scored: Scored) -> Bools:
    """Return which traces reach ANOMALOUS."""
    anomalous: Bools = scored.scores >= ANOMALOUS
    return anomalous
