from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphmind.analysis.findings import Findings
from graphmind.analysis.window import window_from_facts
from graphmind.incidents.incident import Effect, Incident, Item, NamedCause, Reach
from graphmind.incidents.report import incidents_of, unexplained_ids
from tests.incidents.windows import CAUSE, cause, facts, finding

AGENT, MODEL, REGION = 0, 1, 2
"""Numbers of the items of WINDOW: by kind in the order of ITEM_KINDS, then by name."""
WINDOW = facts(
    [
        {"trace_id": "t3", "task": "chat", "fault_module": "inference", "error_code": "504"},
        {"trace_id": "t1", "task": "search", "fault_module": "inference", "error_code": "504"},
        {"trace_id": "t2", "task": "chat", "fault_module": "callback", "error_code": "500"},
        {"trace_id": "t4", "task": "chat"},
    ],
    items=[
        ("t3", "agent", "a"),
        ("t3", "model_version", "m@3"),
        ("t3", "region", "eu"),
        ("t1", "model_version", "m@3"),
        ("t1", "region", "eu"),
        ("t2", "region", "eu"),
        ("t4", "model_version", "m@3"),
    ],
    symptoms=[("t3", "error"), ("t1", "error"), ("t2", "error")],
)


def reported(*findings, window=WINDOW) -> list[Incident]:
    found = Findings(findings=findings, unexplained=np.array([], np.int64), untestable_items=0)
    return incidents_of(found, window_from_facts(window), window)


def test_a_finding_becomes_an_incident_with_names_for_its_numbers():
    found = cause(MODEL, tied=((AGENT, REGION),), rivals=((-3.14159, (REGION,)),))

    assert reported(finding([0, 1], found, examples=(1, 0), survivors=(3,))) == [
        Incident(
            incident_id="inc-5ed7ee1131",
            title="2 traces fail at inference: model_version m@3",
            state="open",
            severity="critical",
            cluster_id="CLUSTER_ERROR_M_3",
            symptom="error",
            channels=("error",),
            root_module="inference",
            root_module_share=1.0,
            root_path="",
            root_span={"trace_id": "t3", "span_id": "fault of t3"},
            error_codes={"504": 2},
            onset_ms=1000,
            opened_ms=1000,
            confidence=0.9123,
            trace_ids=("t1", "t3"),
            examples=("t1", "t3"),
            survivors=("t4",),
            causes=(
                NamedCause(
                    rank=1,
                    role="root",
                    kind="model_version",
                    label="model_version m@3",
                    all_of=(Item(kind="model_version", name="m@3"),),
                    tied=((Item(kind="agent", name="a"), Item(kind="region", name="eu")),),
                    confidence=0.9123,
                    risk_ratio=8.0,
                    risk_ratio_low=4.0,
                    failed_with=2.0,
                    failed_total=3.0,
                    passed_with=1.0,
                    passed_total=97.0,
                    q_value=0.00123,
                    onset_ms=1000,
                    until_ms=2000,
                    bounded=False,
                    rivals=({"all_of": [{"kind": "region", "name": "eu"}], "nats_behind": 3.1416},),
                ),
            ),
            effects=(
                Effect(role="critical", kind="module", name="inference", failing=2.0, share=1.0),
            ),
            changes=(),
            where=None,
            task_count=2,
            agent_count=1,
            region_count=1,
            unexplained_share=0.25,
            reach=Reach(
                traces=3,
                failing=2,
                last_ms=4000,
                tasks=(),
                agents=("a",),
                regions=("eu",),
                written_keys=(),
            ),
        )
    ]


def test_a_burst_without_a_cause_says_so_and_begins_with_its_first_trace():
    (found,) = reported(finding([1, 2]))

    assert found.title == "2 traces fail at callback: no shared cause found"
    assert found.cluster_id == "CLUSTER_ERROR_UNEXPLAINED_CALLBACK"
    assert (found.onset_ms, found.confidence, found.unexplained_share) == (2000, 0.0, 1.0)
    assert found.reach == Reach(
        traces=2, failing=2, last_ms=None, tasks=(), agents=(), regions=(), written_keys=()
    )


def test_a_burst_without_a_place_is_unexplained_anywhere():
    (found,) = reported(finding([0]), window=facts(["t"], symptoms=[("t", "error")]))

    assert found.title == "1 traces fail: no shared cause found"
    assert found.cluster_id == "CLUSTER_ERROR_UNEXPLAINED_ANYWHERE"
    assert (found.root_module, found.root_module_share) == (None, 0.0)


def test_place_and_error_codes_are_the_most_frequent_ties_by_name():
    (found,) = reported(finding([0, 1, 2], cause(REGION)))
    (tied,) = reported(finding([0, 2], cause(REGION)))

    assert (found.root_module, found.root_module_share) == ("inference", 0.6667)
    assert list(found.error_codes.items()) == [("504", 2), ("500", 1)]
    assert (tied.root_module, tied.root_module_share) == ("callback", 0.5)
    assert list(tied.error_codes) == ["500", "504"]


def test_incidents_keep_the_order_of_the_findings_and_causes_their_rank():
    first, second = reported(
        finding([2], cause(REGION), cause(MODEL, AGENT)), finding([0], cause(AGENT))
    )

    assert [named.rank for named in first.causes] == [1, 2]
    assert first.causes[1].label == "model_version m@3 + agent a"
    assert first.causes[1].kind == "model_version+agent"
    assert second.trace_ids == ("t3",)


@pytest.mark.parametrize(
    ("symptoms", "channels", "expected"),
    [
        ([("t1", "slow"), ("t2", "slow"), ("t2", "hang")], ("latency",), "slow"),
        ([("t1", "slow"), ("t1", "hang"), ("t2", "slow"), ("t2", "hang")], ("latency",), "hang"),
        ([("t1", "slow"), ("t2", "slow"), ("t1", "error")], ("error",), "error"),
        ([("t1", "error"), ("t3", "slow"), ("t4", "slow")], ("error", "latency"), "error"),
    ],
)
def test_the_symptom_is_what_most_traces_show_in_the_channels_ties_by_what_tells_most(
    symptoms, channels, expected
):
    window = facts(["t1", "t2", "t3", "t4"], symptoms=symptoms)
    (found,) = reported(finding([0, 1], channels=channels), window=window)

    assert found.symptom == expected


@pytest.mark.parametrize(
    ("failing", "traces", "severity"),
    [(5, 100, "critical"), (4, 100, "major"), (1, 100, "major"), (1, 101, "minor")],
)
def test_severity_is_by_the_share_of_the_window(failing, traces, severity):
    window = facts(
        [str(row) for row in range(traces)],
        symptoms=[(str(row), "error") for row in range(failing)],
    )
    (found,) = reported(finding(range(failing)), window=window)

    assert found.severity == severity


def test_more_failures_expected_than_seen_leave_nothing_explained():
    (found,) = reported(finding([0], cause(AGENT, expected=3.0, failed_with=0.0)))

    assert found.unexplained_share == 1.0


@settings(max_examples=25, deadline=None)
@given(st.sets(st.sampled_from([0, 1, 2]), min_size=1), st.floats(0, 1), st.integers(1, 9))
def test_an_id_is_of_cause_symptom_and_onset_whatever_else_is_seen(rows, confidence, failed):
    (usual,) = reported(finding([0], cause(REGION)))
    (found,) = reported(
        finding(sorted(rows), cause(REGION, confidence=confidence, failed_with=float(failed)))
    )

    assert found.incident_id == usual.incident_id


@pytest.mark.parametrize(
    "other", [cause(AGENT), cause(REGION, MODEL), cause(REGION, onset_ns=CAUSE.until_ms * 10**6)]
)
def test_another_cause_or_onset_is_another_incident(other):
    (usual,) = reported(finding([0], cause(REGION)))
    (found,) = reported(finding([0], other))

    assert found.incident_id != usual.incident_id


def test_traces_that_no_finding_holds_are_named_in_order():
    found = Findings(findings=(), unexplained=np.array([0, 1]), untestable_items=0)

    assert unexplained_ids(found, WINDOW) == ["t1", "t3"]
    assert unexplained_ids(replace(found, unexplained=np.array([], np.int64)), WINDOW) == []
