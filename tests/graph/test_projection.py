from typing import Any

import numpy as np
import pytest

from graphmind.graph.projection import project
from graphmind.graph.rows import merged_edges, merged_nodes
from graphmind.settings import Settings
from graphmind.telemetry.assembly import assemble
from graphmind.telemetry.derive import derive_assembled
from tests.graph.windows import resolved

SPANS: list[dict[str, Any]] = [
    {
        "trace_id": "t1",
        "span_id": "a",
        "name": "route",
        "module": "router",
        "agent": "shop/router",
        "agent_version": "7",
        "instance": "router-0",
        "service": "gateway",
        "region": "eu",
        "task": "checkout",
        "handoff_to": "shop/writer",
        "ms": (1_000, 1_100),
    },
    {
        "trace_id": "t1",
        "span_id": "b",
        "parent_span_id": "a",
        "name": "infer",
        "module": "inference",
        "kind": 3,
        "agent": "shop/writer",
        "model_version": "m@2",
        "model_requested": "m",
        "provider": "lab",
        "status": 2,
        "status_message": "no answer",
        "error_code": "TIMEOUT",
        "ms": (1_010, 1_090),
    },
    {
        "trace_id": "t2",
        "span_id": "c",
        "name": "route",
        "module": "router",
        "agent": None,
        "task": "checkout",
        "kv_key": "redis:cart",
        "kv_op": "both",
        "tool": "",
        "links": [{"trace_id": "t1", "span_id": "a"}],
        "ms": (2_000, 2_050),
    },
    {
        "trace_id": "t2",
        "span_id": "d",
        "parent_span_id": "c",
        "name": "infer",
        "module": "inference",
        "model_requested": "m@3",
        "tool": "search",
        "endpoint": "GET /find",
        "prompt_version": "greet@4",
        "ms": (2_010, None),
    },
]


def projected(kept=(True, True), weights=(1.0, 5.0)):
    assembled = assemble(resolved(SPANS))
    facts = derive_assembled(assembled, Settings())
    return project(assembled, facts, kept=np.array(kept), weights=np.array(weights))


@pytest.fixture(scope="module")
def nodes():
    return {
        label: dict(found) for label, found in merged_nodes(projected()).items() if label != "Span"
    }


@pytest.fixture(scope="module")
def edges():
    return {
        (type_, to_label): {(from_, to): row for from_, to, row in found}
        for (_, type_, to_label), found in merged_edges(projected()).items()
    }


def test_a_trace_carries_its_facts_and_its_weight(nodes):
    assert nodes["Trace"]["t1"] == {
        "traceId": "t1",
        "taskKey": "checkout",
        "startMs": 1_000,
        "durationMs": 100.0,
        "outcome": "failed",
        "symptoms": ["error"],
        "rootSpanName": "route",
        "rootModule": "router",
        "errorCode": "TIMEOUT",
        "faultPath": "route > infer",
        "spanCount": 2,
        "errorSpanCount": 1,
        "complete": True,
        "weight": 1.0,
        "sampleProbability": 1.0,
        "recovered": False,
        "fallbackApplied": False,
    }
    assert nodes["Trace"]["t2"]["weight"] == 5.0


def test_a_span_carries_its_times_in_milliseconds():
    spans = dict(merged_nodes(projected())["Span"])

    assert spans["t1:b"] == {
        "spanId": "t1:b",
        "name": "infer",
        "module": "inference",
        "kind": "client",
        "startMs": 1_010,
        "durationMs": 80.0,
        "selfMs": 80.0,
        "status": "error",
        "errorCode": "TIMEOUT",
        "message": "no answer",
    }
    assert "durationMs" not in spans["t2:d"]


def test_shared_things_know_when_they_were_seen(nodes):
    assert nodes["Agent"] == {
        "shop/router": {
            "key": "shop/router",
            "name": "router",
            "version": "7",
            "firstSeenMs": 1_000,
            "lastSeenMs": 1_100,
        },
        "shop/writer": {
            "key": "shop/writer",
            "name": "writer",
            "firstSeenMs": 1_000,
            "lastSeenMs": 1_100,
        },
    }
    assert nodes["Region"]["eu"] == {"name": "eu", "firstSeenMs": 1_000, "lastSeenMs": 1_100}
    assert nodes["KvKey"]["redis:cart"]["store"] == "redis"
    assert nodes["Module"]["router"] == {
        "name": "router",
        "firstSeenMs": 1_000,
        "lastSeenMs": 2_050,
    }


def test_versions_belong_to_models(nodes, edges):
    assert nodes["ModelVersion"]["m@2"]["version"] == "2"
    assert nodes["ModelVersion"]["m@2"]["provider"] == "lab"
    assert set(nodes["Model"]) == {"m"}
    assert set(edges["VERSION_OF", "Model"]) == {("m@2", "m"), ("m@3", "m")}


@pytest.mark.parametrize(
    ("type_", "label", "ends"),
    [
        ("OF_TASK", "Task", {("t1", "checkout"), ("t2", "checkout")}),
        ("RAN_ON", "Agent", {("t1", "shop/router"), ("t1", "shop/writer")}),
        ("RAN_ON", "AgentInstance", {("t1", "router-0")}),
        ("RAN_ON", "Service", {("t1", "gateway")}),
        ("IN_REGION", "Region", {("t1", "eu")}),
        ("FAILED_AT", "Module", {("t1", "inference")}),
        ("RAISED", "ErrorCode", {("t1", "TIMEOUT")}),
        ("CALLED", "Tool", {("t2", "search")}),
        ("REACHED", "Endpoint", {("t2", "GET /find")}),
        ("PROMPTED_BY", "PromptVersion", {("t2", "greet@4")}),
        ("RUNS", "Agent", {("router-0", "shop/router")}),
        ("LOCATED_IN", "Region", {("shop/router", "eu"), ("shop/writer", "eu")}),
        ("HANDED_OFF_TO", "Agent", {("shop/router", "shop/writer")}),
        ("HAS_SPAN", "Span", {("t1", "t1:a"), ("t1", "t1:b"), ("t2", "t2:c"), ("t2", "t2:d")}),
        ("CHILD_OF", "Span", {("t1:b", "t1:a"), ("t2:d", "t2:c")}),
    ],
)
def test_things_are_joined(edges, type_, label, ends):
    assert set(edges[type_, label]) == ends


def test_a_model_that_did_not_answer_counts_as_used(edges):
    assert edges["USED", "ModelVersion"] == {
        ("t1", "m@2"): {"requested": "m", "calls": 1, "errors": 1},
        ("t2", "m@3"): {"requested": "m@3", "calls": 1, "errors": 0},
    }


def test_modules_are_joined_with_counts_and_times(edges):
    assert edges["PASSED", "Module"]["t1", "inference"] == {
        "calls": 1,
        "errors": 1,
        "durationMs": 80.0,
        "selfMs": 80.0,
    }
    assert edges["CALLS", "Module"] == {
        ("router", "inference"): {
            "calls": 2,
            "errors": 1,
            "p95Ms": 80.0,
            "firstSeenMs": 1_010,
            "lastSeenMs": 2_010,
        }
    }


def test_a_read_is_dated_by_its_start_and_a_write_by_its_end(edges):
    assert edges["READ", "KvKey"] == {("t2", "redis:cart"): {"atMs": 2_000}}
    assert edges["WROTE", "KvKey"] == {("t2", "redis:cart"): {"atMs": 2_050}}


def test_a_linked_trace_continues_the_other(edges):
    assert edges["CONTINUES", "Trace"] == {("t2", "t1"): {"kind": "link"}}


def test_a_trace_that_is_not_kept_leaves_only_what_it_shared():
    rows = projected(kept=(True, False), weights=(1.0, 0.0))
    nodes, edges = merged_nodes(rows), merged_edges(rows)

    assert [key for key, _ in nodes["Trace"]] == ["t1"]
    assert [key for key, _ in nodes["Span"]] == ["t1:a", "t1:b"]
    assert [key for key, _ in nodes["Tool"]] == ["search"]
    assert {from_ for ends in edges if ends[0] == "Trace" for from_, _, _ in edges[ends]} == {"t1"}


def test_no_traces_make_no_rows():
    assembled = assemble(resolved([]))
    facts = derive_assembled(assembled, Settings())
    rows = project(assembled, facts, kept=np.zeros(0, bool), weights=np.zeros(0))

    assert not any(rows.nodes.values())
    assert not any(rows.edges.values())
