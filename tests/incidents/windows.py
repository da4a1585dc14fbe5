"""Small windows of facts, and findings and incidents over them, that name only what matters."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from graphmind.analysis.findings import Cause, Finding
from graphmind.incidents.incident import Incident, Item, NamedCause, Reach
from graphmind.telemetry.facts import ACCESSES, ITEMS, SYMPTOMS, TRACES, Facts
from graphmind.telemetry.symptoms import CHANNEL

START_NS = 1_000_000_000
SECOND_NS = 1_000_000_000

CAUSE = NamedCause(
    rank=1,
    role="root",
    kind="",
    label="",
    all_of=(),
    tied=(),
    confidence=0.9,
    risk_ratio=8.04,
    risk_ratio_low=4.0,
    failed_with=8.0,
    failed_total=10.0,
    passed_with=2.0,
    passed_total=90.0,
    q_value=0.001,
    onset_ms=1000,
    until_ms=9000,
    bounded=False,
    rivals=(),
)
INCIDENT = Incident(
    incident_id="inc-1",
    title="2 traces fail",
    state="open",
    severity="minor",
    cluster_id="CLUSTER_ERROR_X",
    symptom="error",
    channels=("error",),
    root_module="inference",
    root_module_share=0.75,
    root_path="router > inference",
    root_span={"trace_id": "t1", "span_id": "s1"},
    error_codes={},
    onset_ms=1000,
    opened_ms=1000,
    confidence=0.9,
    trace_ids=("t1", "t2"),
    examples=("t1",),
    survivors=(),
    causes=(),
    effects=(),
    changes=(),
    where=None,
    task_count=1,
    agent_count=1,
    region_count=1,
    unexplained_share=0.1,
    reach=Reach(
        traces=10,
        failing=8,
        last_ms=9000,
        tasks=("chat",),
        agents=("a",),
        regions=("eu",),
        written_keys=(),
    ),
)


def incident(*items: tuple[str, str], written: Sequence[str] = (), **changes: Any) -> Incident:
    """Return an incident whose cause is all of these items; of none, one without a cause."""
    all_of = tuple(Item(kind=kind, name=name) for kind, name in items)
    causes = (replace(CAUSE, all_of=all_of, label=" + ".join(map(str, all_of))),) if items else ()
    reach = replace(INCIDENT.reach, written_keys=tuple(written))
    return replace(INCIDENT, **{"causes": causes, "reach": reach, **changes})


def facts(
    traces: Sequence[str | dict[str, Any]],
    *,
    items: Sequence[tuple[str, str, str]] = (),
    symptoms: Sequence[tuple[str, str]] = (),
    accesses: Sequence[tuple[str, str, str, str]] = (),
) -> Facts:
    """Return facts of traces that begin a second apart.

    Items are (trace, kind, name), symptoms (trace, kind), accesses (trace, key, op, agent).
    """
    named = [{"trace_id": trace} if isinstance(trace, str) else trace for trace in traces]
    shown = [(trace, kind, CHANNEL[kind]) for trace, kind in symptoms]
    return Facts(
        traces=pa.Table.from_pylist(
            [
                {
                    "start_ns": START_NS + n * SECOND_NS,
                    "weight": 1.0,
                    "fault_span_id": f"fault of {trace['trace_id']}",
                    **trace,
                }
                for n, trace in enumerate(named)
            ],
            schema=TRACES,
        ),
        symptoms=_table(SYMPTOMS, ("trace_id", "kind", "channel"), shown),
        items=_table(ITEMS, ("trace_id", "kind", "name"), items),
        accesses=_table(ACCESSES, ("trace_id", "key", "op", "agent"), accesses),
    )


def cause(*items: int, **changes: Any) -> Cause:
    """Return a cause of items by their numbers in the window."""
    plain = Cause(
        items=items,
        tied=(),
        channel="error",
        confidence=0.912345,
        posterior=0.9,
        gain_nats=20.0,
        risk_ratio=8.0,
        risk_ratio_low=4.0,
        failed_with=2.0,
        failed_total=3.0,
        passed_with=1.0,
        passed_total=97.0,
        expected=0.5,
        q_value=0.00123456,
        onset_ns=START_NS,
        until_ns=START_NS + SECOND_NS,
        bounded=False,
        rivals=(),
    )
    return replace(plain, **changes)


def finding(traces: Sequence[int], *causes: Cause, **changes: Any) -> Finding:
    """Return a finding of rows and causes in the error channel."""
    plain = Finding(
        channels=("error",),
        causes=causes,
        traces=np.array(traces, np.int64),
        examples=(),
        survivors=(),
        lost=1.0,
    )
    return replace(plain, **changes)


def _table(schema: pa.Schema, names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows], schema=schema)
