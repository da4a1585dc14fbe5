"""A small graph by hand: model m@2 fails in eu, after change c1; w1 poisons redis:cart."""

from typing import Any

from graphmind.graph.port import GraphRows

NODES: dict[str, list[dict[str, Any]]] = {
    "Trace": [
        {"traceId": "t1", "startMs": 1_000, "durationMs": 50.0, "outcome": "failed", "weight": 1.0}
        | {"faultPath": "route > infer", "errorCode": "TIMEOUT", "symptoms": ["error"]},
        {"traceId": "t2", "startMs": 2_000, "durationMs": 50.0, "outcome": "failed", "weight": 1.0}
        | {"faultPath": "route > infer", "errorCode": "TIMEOUT", "symptoms": ["error", "slow"]},
        {"traceId": "t3", "startMs": 3_000, "durationMs": 50.0, "outcome": "ok", "weight": 4.0},
        {"traceId": "t4", "startMs": 4_000, "durationMs": 50.0, "outcome": "ok", "weight": 2.0},
        {"traceId": "w1", "startMs": 500, "durationMs": 50.0, "outcome": "wrong", "weight": 1.0}
        | {"faultPath": "route > save", "symptoms": ["wrong"]},
    ],
    "Span": [{"spanId": "t1:a", "name": "route"}, {"spanId": "t1:b", "name": "infer"}],
    "Task": [{"key": "checkout"}, {"key": "search"}],
    "Agent": [
        {"key": "shop/router", "firstSeenMs": 500, "lastSeenMs": 4_050, "hotRestart": True},
        {"key": "shop/writer", "firstSeenMs": 1_000, "lastSeenMs": 2_050},
    ],
    "Model": [{"name": "m"}],
    "ModelVersion": [
        {"key": "m@1", "firstSeenMs": 500, "lastSeenMs": 4_050},
        {"key": "m@2", "firstSeenMs": 1_000, "lastSeenMs": 3_050, "releasedMs": 900},
    ],
    "KvKey": [
        {"key": "redis:cart", "firstSeenMs": 540, "lastSeenMs": 3_010},
        {"key": "redis:agent_state_snapshot:checkout:route"},
    ],
    "Module": [{"name": "router"}, {"name": "inference"}, {"name": "store"}],
    "Region": [{"name": "eu"}, {"name": "us"}],
    "ErrorCode": [{"name": "TIMEOUT"}],
    "Change": [{"key": "c1", "kind": "deploy", "target": "m@2", "atMs": 900}],
    "Incident": [
        {"incidentId": "i1", "title": "m@2 times out", "onsetMs": 1_000, "state": "open"}
        | {"runId": "r1"},
        {"incidentId": "i0", "title": "m@1 times out", "onsetMs": 10, "runId": "r1"},
    ],
    "Strategy": [
        {"key": "calm@1", "source": "library", "enabled": True, "document": "{}"}
        | {"proposedBy": "ann", "proposedMs": 10, "approvedBy": ["bob"], "approvedMs": 20},
        {"key": "calm@2", "source": "calm.yaml", "enabled": True, "document": "{}"}
        | {"proposedBy": "bob", "proposedMs": 30},
    ],
    "Cause": [
        {"key": "i1:1", "rank": 1, "role": "root", "label": "m@2 in eu", "confidence": 0.9}
        | {"riskRatio": 8.0, "failedWith": 2.0, "failedTotal": 2.0, "runId": "r1"},
        {"key": "i0:1", "rank": 1, "role": "root", "label": "m@1", "runId": "r1"},
    ],
}

EDGES: dict[tuple[str, str, str], list[tuple[Any, ...]]] = {
    ("Trace", "HAS_SPAN", "Span"): [("t1", "t1:a"), ("t1", "t1:b")],
    ("Span", "CHILD_OF", "Span"): [("t1:b", "t1:a")],
    ("Trace", "OF_TASK", "Task"): [("t1", "checkout"), ("t2", "checkout"), ("t3", "search")],
    ("Trace", "RAN_ON", "Agent"): [
        *((trace, "shop/router") for trace in ("t1", "t2", "t3", "t4", "w1")),
        ("t1", "shop/writer"),
        ("t2", "shop/writer"),
    ],
    ("Trace", "USED", "ModelVersion"): [
        ("t1", "m@2"),
        ("t2", "m@2"),
        ("t3", "m@2"),
        ("t4", "m@1"),
        ("w1", "m@1"),
    ],
    ("Trace", "IN_REGION", "Region"): [
        ("t1", "eu"),
        ("t2", "eu"),
        ("t3", "us"),
        ("t4", "eu"),
        ("w1", "us"),
    ],
    ("Trace", "PASSED", "Module"): [
        ("t1", "inference", {"calls": 2, "errors": 1, "selfMs": 30.0}),
        ("t1", "router", {"calls": 1, "errors": 0, "selfMs": 20.0}),
        ("t3", "router", {"calls": 1, "errors": 0, "selfMs": 10.0}),
    ],
    ("Trace", "FAILED_AT", "Module"): [("t1", "inference"), ("t2", "inference"), ("w1", "store")],
    ("Trace", "RAISED", "ErrorCode"): [("t1", "TIMEOUT"), ("t2", "TIMEOUT")],
    ("Trace", "WROTE", "KvKey"): [
        ("w1", "redis:cart", {"atMs": 540}),
        ("t3", "redis:cart", {"atMs": 3_010}),
        ("t2", "redis:agent_state_snapshot:checkout:route", {"atMs": 2_005}),
    ],
    ("Trace", "READ", "KvKey"): [
        ("t2", "redis:cart", {"atMs": 2_010}),
        ("t3", "redis:cart", {"atMs": 2_500}),
        ("t4", "redis:cart", {"atMs": 4_010}),
    ],
    ("Trace", "CONTINUES", "Trace"): [("t2", "t1", {"kind": "retry"})],
    ("Agent", "LOCATED_IN", "Region"): [("shop/router", "eu"), ("shop/writer", "eu")],
    ("Agent", "HANDED_OFF_TO", "Agent"): [("shop/router", "shop/writer")],
    ("Module", "CALLS", "Module"): [
        ("router", "inference", {"calls": 4, "errors": 1, "p95Ms": 31.0})
    ],
    ("ModelVersion", "VERSION_OF", "Model"): [("m@1", "m"), ("m@2", "m")],
    ("ModelVersion", "PREVIOUS", "ModelVersion"): [("m@2", "m@1")],
    ("Change", "CHANGED", "ModelVersion"): [("c1", "m@2")],
    ("Trace", "PART_OF", "Incident"): [
        ("t1", "i1", {"runId": "r1"}),
        ("t2", "i1", {"runId": "r1"}),
    ],
    ("Incident", "RESEMBLES", "Incident"): [("i1", "i0", {"score": 0.9, "runId": "r1"})],
    ("Trace", "CONTAMINATED_BY", "Trace"): [
        ("t2", "w1", {"key": "redis:cart", "hops": 1, "runId": "r1"}),
    ],
    ("Incident", "CAUSED_BY", "Cause"): [
        ("i0", "i0:1", {"runId": "r1"}),
        ("i1", "i1:1", {"runId": "r1"}),
    ],
    ("Cause", "NAMES", "ModelVersion"): [("i1:1", "m@2", {"runId": "r1"})],
    ("Cause", "NAMES", "Region"): [("i1:1", "eu", {"runId": "r1"})],
}


def planted() -> GraphRows:
    """Return the graph as rows."""
    return rows_of(NODES, EDGES)


def rows_of(
    nodes: dict[str, list[dict[str, Any]]], edges: dict[tuple[str, str, str], list[tuple[Any, ...]]]
) -> GraphRows:
    """Return rows to load: of relationships written as (from, to) or (from, to, properties)."""
    return GraphRows(
        nodes=nodes,
        edges={
            ends: [{"from": from_, "to": to, **dict(*more)} for from_, to, *more in rows]
            for ends, rows in edges.items()
        },
    )


ANSWERS: dict[str, tuple[dict[str, Any], list[tuple[Any, ...]]]] = {
    "traces_sharing_with": (
        {"trace_id": "t2"},
        [
            ("t1", "failed", ["eu", "m@2", "shop/router", "shop/writer"], 4),
            ("t3", "ok", ["m@2", "redis:cart", "shop/router"], 3),
            ("t4", "ok", ["eu", "redis:cart", "shop/router"], 3),
            ("w1", "wrong", ["redis:cart", "shop/router"], 2),
        ],
    ),
    "failing_share_by_model_and_region": (
        {},
        [
            ("m@2", "eu", 2.0, 2.0, 1.0),
            ("m@1", "us", 1.0, 1.0, 1.0),
            ("m@1", "eu", 2.0, 0.0, 0.0),
            ("m@2", "us", 4.0, 0.0, 0.0),
        ],
    ),
    "key_readers_and_writers": (
        {"key": "redis:cart", "until_ms": 4_000},
        [
            (540, "WROTE", "w1", "wrong"),
            (2_010, "READ", "t2", "failed"),
            (2_500, "READ", "t3", "ok"),
            (3_010, "WROTE", "t3", "ok"),
        ],
    ),
    "frequent_failing_paths": (
        {},
        [
            ("route > infer", "failed", "TIMEOUT", 2, 1_000, 2_000),
            ("route > save", "wrong", None, 1, 500, 500),
        ],
    ),
    "touched_by_model_version": (
        {"model_version": "m@2"},
        [
            ("Agent", "shop/router", 6.0, 2.0),
            ("Agent", "shop/writer", 2.0, 2.0),
            ("Region", "eu", 2.0, 2.0),
            ("Task", "checkout", 2.0, 2.0),
            ("KvKey", "redis:cart", 5.0, 1.0),
            ("Module", "router", 5.0, 1.0),
            ("KvKey", "redis:agent_state_snapshot:checkout:route", 1.0, 1.0),
            ("Module", "inference", 1.0, 1.0),
            ("Region", "us", 4.0, 0.0),
            ("Task", "search", 4.0, 0.0),
        ],
    ),
    "as_of": (
        {"at_ms": 3_020},
        [
            ("Agent", "shop/router", 500, 4_050),
            ("ModelVersion", "m@1", 500, 4_050),
            ("ModelVersion", "m@2", 1_000, 3_050),
        ],
    ),
    "similar_incidents": ({}, [("i1", "m@2 times out", "i0", "m@1 times out", 0.9, ["m@1"])]),
    "incident_causes": (
        {"incident_id": "i1"},
        [("i1", "m@2 times out", 1, "root", "m@2 in eu", ["eu", "m@2"], 0.9, 8.0, 2.0, 2.0)],
    ),
    "incident_resources": (
        {"incident_id": "i1", "limit": 6},
        [
            ("FAILED_AT", "Module", "inference", 2, 1.0),
            ("IN_REGION", "Region", "eu", 2, 1.0),
            ("RAISED", "ErrorCode", "TIMEOUT", 2, 1.0),
            ("RAN_ON", "Agent", "shop/router", 2, 1.0),
            ("RAN_ON", "Agent", "shop/writer", 2, 1.0),
            ("USED", "ModelVersion", "m@2", 2, 1.0),
        ],
    ),
    "blast_radius": ({"name": "m@2"}, [("ModelVersion", "m@2", 6.0, 2.0, 2, 2, 2)]),
    "hand_offs": ({}, [("shop/router", "shop/writer", 2.0, 2.0)]),
    "error_codes_by_module": (
        {},
        [("inference", "TIMEOUT", "failed", 2), ("store", "", "wrong", 1)],
    ),
    "continuation_chains": ({}, [(["t2", "t1"], ["retry"], ["failed", "failed"])]),
    "contaminated_readers": (
        {"key": "redis:cart", "writer_id": "w1"},
        [("t2", "failed", 2_010, 540), ("t3", "ok", 2_500, 540)],
    ),
    "patient_zero": ({"incident_id": "i1"}, [("w1", "wrong", 500, 1, 0.5, 1)]),
    "traces_at_risk": ({"incident_id": "i1"}, [("t3", "ok", "redis:cart", 2_500, "w1")]),
    "values_read_from": ({"trace_id": "t4"}, [("redis:cart", 4_010, "t3", "ok", 3_010)]),
    "agents_by_region": (
        {},
        [("eu", "shop/writer", 2.0, 2.0, 1.0), ("eu", "shop/router", 4.0, 2.0, 0.5)],
    ),
    "slowest_modules": (
        {},
        [("inference", 1.0, 30.0, 30.0, 2, 1), ("router", 5.0, 12.0, 20.0, 2, 0)],
    ),
    "changes_before_incident": (
        {"incident_id": "i1"},
        [("c1", "deploy", "m@2", 900, 100, True)],
    ),
    "model_version_history": (
        {"model": "m"},
        [("m@2", "m@1", 900, 1_000, 6.0, 2.0), ("m@1", None, None, 500, 3.0, 1.0)],
    ),
    "failing_together": ({}, [(0, "inference", "failed", 2)]),
    "module_calls": ({}, [("router", "inference", 4, 1, 0.25, 31.0)]),
    "repair_scope": (
        {"names": "m@2\nshop/writer\nnot there"},
        [("search", 4.0, 0.0, 0.0, 0.0, 0.0), ("checkout", 2.0, 2.0, 1.0, 1.0, 1.0)],
    ),
    "repair_users": (
        {"names": "m@2", "also": "eu"},
        [
            ("Agent", "shop/router", 2.0, 2 / 9, True),
            ("Agent", "shop/writer", 2.0, 1.0, None),
            ("Region", "eu", 2.0, 0.5, None),
        ],
    ),
    "window_traffic": ({}, [("search", 4.0, 0.0), ("", 3.0, 1.0), ("checkout", 2.0, 2.0)]),
    "strategy_revisions": (
        {},
        [
            ("calm@1", "library", True, "ann", 10, ["bob"], 20, "{}"),
            ("calm@2", "calm.yaml", True, "bob", 30, [], None, "{}"),
        ],
    ),
}
"""The rows each question returns on the planted graph: name, parameters, rows of its columns."""
