import pytest

from graphmind.graph.incidents import LABEL_OF_ITEM, derived_rows
from graphmind.graph.rows import merged_edges, merged_nodes
from graphmind.graph.schema import EDGES
from graphmind.telemetry.facts import ITEM_KINDS

INCIDENT = {
    "incident_id": "i1",
    "title": "m@2 times out",
    "symptom": "error",
    "root_module": "inference",
    "onset_ms": 1_000,
    "opened_ms": 2_000,
    "state": "open",
    "severity": "high",
    "confidence": 0.9,
    "cluster_id": "CLUSTER_TIMEOUT_M2",
    "trace_ids": ["t1", "t2"],
    "trace_confidence": [0.9, 0.8],
    "task_count": 1,
    "agent_count": 2,
    "region_count": 1,
    "unexplained_share": 0.0,
    "command": {"action": "multi_trace_repair"},
    "effects": [],
    "causes": [
        {
            "rank": 1,
            "role": "root",
            "confidence": 0.9,
            "label": "m@2 in eu",
            "kind": "model_version + region",
            "all_of": [
                {"kind": "model_version", "name": "m@2"},
                {"kind": "region", "name": "eu"},
            ],
            "tied": [[{"kind": "agent", "name": "a"}, {"kind": "region", "name": "eu"}]],
            "risk_ratio": 8.0,
            "risk_ratio_low": 4.0,
            "failed_with": 2.0,
            "failed_total": 2.0,
            "passed_with": 0.0,
            "passed_total": 9.0,
            "q_value": 0.001,
            "onset_ms": 1_000,
        }
    ],
}


def test_an_incident_becomes_a_node_with_what_the_schema_knows():
    assert merged_nodes(derived_rows([INCIDENT], [], "r1"))["Incident"] == [
        (
            "i1",
            {
                "runId": "r1",
                "incidentId": "i1",
                "title": "m@2 times out",
                "state": "open",
                "severity": "high",
                "openedMs": 2_000,
                "onsetMs": 1_000,
                "traceCount": 2,
                "taskCount": 1,
                "agentCount": 2,
                "regionCount": 1,
                "confidence": 0.9,
                "symptom": "error",
                "rootModule": "inference",
                "unexplainedShare": 0.0,
                "clusterId": "CLUSTER_TIMEOUT_M2",
            },
        )
    ]


def test_a_cause_becomes_a_node_with_its_evidence():
    (key, cause), *others = merged_nodes(derived_rows([INCIDENT], [], "r1"))["Cause"]

    assert (key, others) == ("i1:1", [])
    assert cause["tied"] == ["agent:a + region:eu"]
    assert (cause["failedWith"], cause["qValue"], cause["runId"]) == (2.0, 0.001, "r1")


def test_incidents_are_joined_to_traces_and_causes_to_what_they_name():
    edges = merged_edges(derived_rows([INCIDENT], [], "r1"))

    assert {ends: rows for ends, rows in edges.items() if rows} == {
        ("Trace", "PART_OF", "Incident"): [
            ("t1", "i1", {"confidence": 0.9, "runId": "r1"}),
            ("t2", "i1", {"confidence": 0.8, "runId": "r1"}),
        ],
        ("Incident", "CAUSED_BY", "Cause"): [("i1", "i1:1", {"runId": "r1"})],
        ("Cause", "NAMES", "ModelVersion"): [("i1:1", "m@2", {"runId": "r1"})],
        ("Cause", "NAMES", "Region"): [("i1:1", "eu", {"runId": "r1"})],
    }


def test_confidences_of_traces_may_be_absent():
    plain = {k: v for k, v in INCIDENT.items() if k != "trace_confidence"}

    assert merged_edges(derived_rows([plain], [], "r1"))["Trace", "PART_OF", "Incident"] == [
        ("t1", "i1", {"runId": "r1"}),
        ("t2", "i1", {"runId": "r1"}),
    ]


@pytest.mark.parametrize("kind", ITEM_KINDS)
def test_a_cause_may_name_an_item_of_every_kind(kind):
    assert ("Cause", LABEL_OF_ITEM[kind]) in EDGES["NAMES"].ENDS


def test_a_critical_failure_and_an_impact_follow_the_causes_in_their_role():
    effects = [
        {"role": "critical", "kind": "module", "name": "rpc", "failing": 2.0, "share": 1.0},
        {"role": "impact", "kind": "agent", "name": "a", "failing": 1.0, "share": 0.5},
    ]
    rows = derived_rows([{**INCIDENT, "effects": effects}], [], "r1")
    causes = [
        (key, row["role"], row["label"], row["failedWith"])
        for key, row in merged_nodes(rows)["Cause"]
    ]

    assert causes == [
        ("i1:1", "root", "m@2 in eu", 2.0),
        ("i1:2", "critical", "module rpc", 2.0),
        ("i1:3", "impact", "agent a", 1.0),
    ]
    assert ("i1:3", "a") in {
        (row["from"], row["to"]) for row in rows.edges["Cause", "NAMES", "Agent"]
    }


def test_an_incident_seen_before_is_joined_to_its_fingerprint_and_to_the_past_ones_known():
    fingerprint = {"hash": "f1", "structure": "a > b", "log_signature": ["timeout"]}
    matches = [{"incident_id": "i0", "score": 0.9}, {"incident_id": "imported", "score": 0.8}]
    seen = {"verdict": "seen before", "fingerprint": fingerprint, "matches": matches}
    rows = derived_rows([{**INCIDENT, "seen": seen}, {**INCIDENT, "incident_id": "i0"}], [], "r1")
    edges = merged_edges(rows)

    assert edges["Incident", "MATCHED", "Fingerprint"] == [("i1", "f1", {"runId": "r1"})]
    assert edges["Incident", "RESEMBLES", "Incident"] == [
        ("i1", "i0", {"score": 0.9, "runId": "r1"})
    ]
    ((key, node),) = merged_nodes(rows)["Fingerprint"]
    assert (key, node["structure"], node["logSignature"]) == ("f1", "a > b", ["timeout"])


def test_a_trace_that_read_a_bad_value_is_joined_to_its_writer():
    lineages = [{"contaminated": [{"from": "t1", "to": "t2", "key": "k", "hops": 1}]}]

    assert derived_rows([], lineages, "r1").edges["Trace", "CONTAMINATED_BY", "Trace"] == [
        {"from": "t1", "to": "t2", "key": "k", "hops": 1, "runId": "r1"}
    ]
