"""A week by hand: v@2 storms `pay` from 2,000 ms on, agents go round, repairs are tried."""

from typing import Any

from graphmind.graph.port import GraphRows
from tests.graph.planted import rows_of

NODES: dict[str, list[dict[str, Any]]] = {
    "Trace": [
        {"traceId": "a1", "startMs": 1_000, "outcome": "ok", "weight": 3.0},
        {"traceId": "a2", "startMs": 1_500, "outcome": "ok", "weight": 1.0},
        {"traceId": "a3", "startMs": 1_700, "outcome": "slow", "weight": 1.0},
        {"traceId": "b1", "startMs": 2_000, "outcome": "failed", "weight": 1.0}
        | {"symptoms": ["error", "storm"], "errorCode": "429", "faultPath": "plan > pay"},
        {"traceId": "b2", "startMs": 2_100, "outcome": "hung", "weight": 1.0}
        | {"symptoms": ["hang", "storm"], "faultPath": "plan > wait"},
        {"traceId": "b3", "startMs": 2_200, "outcome": "ok", "weight": 1.0},
        {"traceId": "b4", "startMs": 2_300, "outcome": "failed", "weight": 1.0},
    ],
    "Span": [
        {"spanId": "b1:x", "name": "pay", "module": "billing", "durationMs": 5.0},
        {"spanId": "b2:x", "name": "pay", "module": "billing"},
        {"spanId": "b2:y", "name": "pay", "module": "billing"},
    ],
    "Task": [{"key": "search"}],
    "Agent": [{"key": "planner"}, {"key": "coder"}, {"key": "critic"}],
    "ModelVersion": [
        {"key": "v@1", "firstSeenMs": 1_000},
        {"key": "v@2", "firstSeenMs": 2_000, "releasedMs": 1_900},
    ],
    "Region": [{"name": "eu"}, {"name": "us"}],
    "KvKey": [{"key": "kv:plan", "quarantined": True}, {"key": "kv:lone"}],
    "Endpoint": [{"name": "pay"}],
    "ErrorCode": [{"name": "429"}, {"name": "503"}],
    "Incident": [
        {"incidentId": "i0", "title": "v@2 hangs", "onsetMs": 500, "state": "closed"}
        | {"traceCount": 7},
        {"incidentId": "i1", "title": "planner fails", "onsetMs": 600, "state": "closed"},
        {"incidentId": "i2", "title": "v@2 storms pay", "onsetMs": 2_000, "state": "open"}
        | {"traceCount": 2},
    ],
    "Cause": [
        {"key": "i0:1", "rank": 1, "role": "root", "label": "v@2", "confidence": 0.7},
        {"key": "i1:1", "rank": 1, "role": "root", "label": "planner", "confidence": 0.6},
        {"key": "i2:1", "rank": 1, "role": "root", "label": "v@2", "confidence": 0.9},
        {"key": "i2:2", "rank": 2, "role": "root", "label": "pay", "confidence": 0.4},
    ],
    "Strategy": [{"key": "calm@1"}, {"key": "drain@1"}],
    "Repair": [
        {"repairId": "r1", "incidentId": "i0", "strategy": "calm@1", "state": "succeeded"}
        | {"verdict": "effective", "requestedMs": 550, "executedMs": 560, "endedMs": 1_560},
        {"repairId": "r2", "incidentId": "i2", "strategy": "calm@1", "state": "rolled_back"}
        | {"verdict": "harmful", "requestedMs": 2_500, "executedMs": 2_600, "endedMs": 4_600}
        | {"action": "restart", "target": "model_version:v@2", "mode": "live"}
        | {"requestedBy": "ann"},
        {"repairId": "r3", "incidentId": "i2", "strategy": "drain@1", "requestedMs": 3_000}
        | {"state": "awaiting_approval", "action": "drain", "target": "region:eu"}
        | {"mode": "live", "requestedBy": "ann"},
        {"repairId": "r4", "incidentId": "i1", "strategy": "drain@1", "requestedMs": 700}
        | {"state": "verifying", "verdict": "open", "executedMs": 710},
        {"repairId": "r5", "incidentId": "i1", "strategy": "drain@1", "requestedMs": 800}
        | {"state": "inconclusive", "verdict": "inconclusive", "executedMs": 810, "endedMs": 900},
    ],
    "RepairStep": [
        {"key": "r2:1", "state": "undone", "detail": "restarted", "startedMs": 2_550},
        {"key": "r2:2", "state": "failed", "detail": "no such pod", "startedMs": 2_560},
    ],
    "Approval": [
        {"approvalId": "r2:1", "who": "cat", "what": "rejected"},
        {"approvalId": "r2:2", "who": "bob", "what": "approved"},
    ],
}

EDGES: dict[tuple[str, str, str], list[tuple[Any, ...]]] = {
    ("Trace", "OF_TASK", "Task"): [("b1", "search")],
    ("Trace", "RAN_ON", "Agent"): [
        *((trace, "planner") for trace in ("a1", "a2", "b1", "b2")),
        *((trace, "coder") for trace in ("a2", "b2", "b3", "b4")),
        ("b2", "critic"),
    ],
    ("Trace", "USED", "ModelVersion"): [
        *((trace, "v@1") for trace in ("a1", "a2", "a3")),
        *((trace, "v@2") for trace in ("b1", "b2", "b3", "b4")),
    ],
    ("ModelVersion", "PREVIOUS", "ModelVersion"): [("v@2", "v@1")],
    ("Trace", "IN_REGION", "Region"): [
        *((trace, "eu") for trace in ("a1", "b1", "b2")),
        *((trace, "us") for trace in ("a2", "a3", "b2", "b3", "b4")),
    ],
    ("Trace", "HAS_SPAN", "Span"): [("b1", "b1:x"), ("b2", "b2:x"), ("b2", "b2:y")],
    ("Trace", "REACHED", "Endpoint"): [("a1", "pay"), ("b1", "pay"), ("b2", "pay")],
    ("Trace", "RAISED", "ErrorCode"): [("b1", "429"), ("b2", "503")],
    ("Trace", "WROTE", "KvKey"): [
        ("a1", "kv:plan", {"atMs": 1_100}),
        ("b1", "kv:plan", {"atMs": 2_050}),
        ("a2", "kv:lone", {"atMs": 1_600}),
    ],
    ("Trace", "READ", "KvKey"): [
        ("a2", "kv:plan", {"atMs": 1_600}),
        ("b2", "kv:plan", {"atMs": 2_110}),
    ],
    ("Trace", "CONTINUES", "Trace"): [
        ("b3", "b1", {"kind": "retry"}),
        ("b4", "b1", {"kind": "rebuild"}),
        ("b2", "a2", {"kind": "retry"}),
    ],
    ("Trace", "CONTAMINATED_BY", "Trace"): [
        ("b2", "b1", {"key": "kv:plan", "hops": 1}),
        ("b4", "b1", {"key": "kv:plan", "hops": 2}),
    ],
    ("Agent", "HANDED_OFF_TO", "Agent"): [
        ("planner", "coder"),
        ("coder", "planner"),
        ("coder", "critic"),
        ("critic", "planner"),
    ],
    ("Trace", "PART_OF", "Incident"): [
        ("b1", "i2", {"confidence": 0.9}),
        ("b2", "i2", {"confidence": 0.8}),
    ],
    ("Incident", "CAUSED_BY", "Cause"): [
        ("i0", "i0:1"),
        ("i1", "i1:1"),
        ("i2", "i2:1"),
        ("i2", "i2:2"),
    ],
    ("Cause", "NAMES", "ModelVersion"): [("i0:1", "v@2"), ("i2:1", "v@2")],
    ("Cause", "NAMES", "Agent"): [("i1:1", "planner")],
    ("Cause", "NAMES", "Endpoint"): [("i2:2", "pay")],
    ("Incident", "RESEMBLES", "Incident"): [
        ("i2", "i0", {"score": 0.8}),
        ("i2", "i1", {"score": 0.5}),
    ],
    ("Repair", "REPAIRS", "Incident"): [("r1", "i0"), ("r2", "i2"), ("r3", "i2"), ("r4", "i1")],
    ("Repair", "TARGETS", "ModelVersion"): [("r1", "v@2"), ("r2", "v@2")],
    ("Repair", "TARGETS", "Region"): [("r3", "eu")],
    ("Repair", "APPLIES", "Strategy"): [("r1", "calm@1"), ("r2", "calm@1"), ("r3", "drain@1")],
    ("Repair", "HAS_STEP", "RepairStep"): [("r2", "r2:1"), ("r2", "r2:2")],
    ("Repair", "HAS_APPROVAL", "Approval"): [("r2", "r2:1"), ("r2", "r2:2")],
}


def planted_week() -> GraphRows:
    """Return the graph as rows."""
    return rows_of(NODES, EDGES)


ANSWERS: dict[str, tuple[dict[str, Any], list[tuple[Any, ...]]]] = {
    "open_incidents": (
        {},
        [("i2", "v@2 storms pay", 2_000, 2, "v@2", 0.9, ["awaiting_approval", "rolled_back"])],
    ),
    "incident_traces": (
        {"incident_id": "i2"},
        [
            ("b1", 2_000, "failed", "search", "429", "plan > pay", 0.9),
            ("b2", 2_100, "hung", "", None, "plan > wait", 0.8),
        ],
    ),
    "unfinished_spans": ({}, [("billing", "pay", 1, 2, 2_100)]),
    "shared_by_incidents": ({}, [("ModelVersion", "v@2", 2, ["i0", "i2"], 1, 500, 2_000)]),
    "busy_keys": ({}, [("kv:plan", 2, 2, 1, True)]),
    "contaminating_keys": ({"incident_id": "i2"}, [("kv:plan", 1, ["b1"], 1)]),
    "agents_failing_with_one_version": (
        {},
        [("planner", "v@2", 2.0, 1.0, 0.0), ("coder", "v@2", 3.0, 2 / 3, 0.0)],
    ),
    "versions_before_incident": (
        {"incident_id": "i2", "before_ms": 500},
        [("v@2", "v@1", 1_900, 100, 2)],
    ),
    "rollback_candidates": ({}, [("v@2", "v@1", 0.75, 0.2, 3 - 4 * 0.2)]),
    "region_health": ({}, [("us", 5.0, 3.0, 0.6, 1), ("eu", 5.0, 2.0, 0.4, 1)]),
    "region_before_and_after": (
        {"at_ms": 1_900},
        [("eu", 3.0, 2.0, 0.0, 1.0, 1.0), ("us", 2.0, 3.0, 0.5, 2 / 3, 2 / 3 - 0.5)],
    ),
    "traces_across_regions": ({}, [("eu", "us", 1.0, 1.0, 1.0)]),
    "storms_by_endpoint": ({}, [("pay", 2, 5.0, 2_000, ["429", "503"])]),
    "forks": ({}, [("b1", "failed", ["b3", "b4"], ["rebuild", "retry"], 1)]),
    "agent_loops": (
        {},
        [(["coder", "planner"], 2.0, 1.0), (["coder", "critic", "planner"], 1.0, 1.0)],
    ),
    "repairs_of_incident": (
        {"incident_id": "i2"},
        [
            (
                *("r2", "calm@1", "restart", "model_version:v@2", "live", "rolled_back"),
                *("harmful", "ann", ["bob"], 2_500, 2.1),
            ),
            (
                *("r3", "drain@1", "drain", "region:eu", "live", "awaiting_approval"),
                *("", "ann", [], 3_000, None),
            ),
        ],
    ),
    "verdicts_by_strategy": ({}, [("calm@1", 2, 1, 1, 0.5, 1.5)]),
    "undone_repairs": (
        {},
        [("r2", "i2", "calm@1", "rolled_back", "harmful", 2, ["no such pod"])],
    ),
    "targets_repaired_often": ({}, [("ModelVersion", "v@2", 2, 1, 2, 2_500)]),
    "strategies_for_similar": ({"incident_id": "i2"}, [("calm@1", 1, 1, ["i0"], 0.8)]),
    "causes_of_week": (
        {"from_ms": 1_000},
        [("Endpoint", "pay", 1, 2, 1, 0), ("ModelVersion", "v@2", 1, 2, 1, 1)],
    ),
    "quiet_risks": (
        {},
        [
            ("Agent", "planner", 6.0, 6 / 9, 2.0),
            ("KvKey", "kv:plan", 6.0, 6 / 9, 2.0),
            ("Endpoint", "pay", 5.0, 5 / 9, 2.0),
            ("ModelVersion", "v@1", 5.0, 5 / 9, 1.0),
        ],
    ),
}
"""The rows each question returns on this graph: name, parameters, rows of its columns."""
