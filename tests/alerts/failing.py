"""Facts of failing traces, by when they went wrong."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from graphmind.telemetry.facts import ACCESSES, ITEMS, SYMPTOMS, TRACES, Facts
from graphmind.telemetry.symptoms import CHANNEL

NOW_MS = 1_700_000_000_000
SECOND_MS = 1_000
MS_NS = 1_000_000


def trace(name: str, at_ms: int, *kinds: str, **fields: Any) -> dict[str, Any]:
    """Return a trace that shows symptoms of these kinds at a time."""
    plain = {
        "trace_id": name,
        "start_ns": (at_ms - 500) * MS_NS,
        "outcome": "failed",
        "error_code": "E_BUSY",
        "fault_path": "chat > infer",
        "fault_module": "inference",
        "weight": 1.0,
    }
    return {**plain, **fields, "kinds": kinds or ("error",), "at_ms": at_ms}


def burst(name: str, count: int, last_ms: int, pause_ms: int = SECOND_MS, **fields: Any) -> list:
    """Return traces of one fingerprint that fail one after the other, the last at a time."""
    return [
        trace(f"{name}{n}", last_ms - (count - 1 - n) * pause_ms, **fields) for n in range(count)
    ]


def facts(traces: Sequence[dict[str, Any]]) -> Facts:
    """Return the facts of some traces."""
    own = [{k: v for k, v in one.items() if k not in ("kinds", "at_ms")} for one in traces]
    shown = [
        {
            "trace_id": one["trace_id"],
            "kind": kind,
            "channel": CHANNEL[kind],
            "began_ns": one["at_ms"] * MS_NS,
        }
        for one in traces
        for kind in one["kinds"]
    ]
    return Facts(
        traces=pa.Table.from_pylist(own, schema=TRACES),
        symptoms=pa.Table.from_pylist(shown, schema=SYMPTOMS),
        items=ITEMS.empty_table(),
        accesses=ACCESSES.empty_table(),
    )
