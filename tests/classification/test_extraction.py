from math import log

import pytest

from graphmind.classification.extraction import case_of
from graphmind.telemetry.facts import TRACES
from tests.builders import assembled, facts, in_trace, span

SLOW = [span("root", 0, 400, failed=True, status_message="no such host 17")]
FAST = [span("root", 0, 100)]
INCIDENT = {
    "incident_id": "inc-1",
    "symptom": "error",
    "channels": ["error"],
    "root_module_share": 0.5,
    "root_path": "root > call",
    "error_codes": {"500": 1, "429": 2},
    "trace_ids": ["a", "b", "c", "d"],
    "causes": [],
    "changes": [],
    "task_count": 1,
    "agent_count": 2,
    "region_count": 1,
    "unexplained_share": 1.0,
}
CAUSE = {
    "all_of": [{"kind": "model_version", "name": "m@1"}, {"kind": "region", "name": "north"}],
    "confidence": 0.9,
    "risk_ratio": 1e9,
    "failed_with": 30.0,
    "passed_with": 10.0,
    "bounded": True,
    "tied": [],
}


def extracted(incident=INCIDENT, failing=SLOW, healthy=FAST):
    failing, healthy = in_trace("a", failing), in_trace("z", healthy)
    return case_of(incident, assembled(failing), facts(failing), facts(healthy).traces)


def numbers(case):
    return {number.name: number.value for number in case.numbers}


def test_a_case_says_what_its_failing_spans_say_and_how_they_stand():
    case = extracted()

    assert {line.text: line.share for line in case.lines}["no such host #"] == 1.0
    assert {token.name for token in case.structure} == {"step error"}


def test_codes_have_the_share_of_all_traces_of_the_incident():
    assert {line.text: line.share for line in extracted().codes} == {"429": 0.5, "500": 0.25}


def test_durations_are_compared_with_those_of_healthy_traces():
    assert numbers(extracted())["times as long"] == pytest.approx(log(4), abs=1e-3)


def test_without_healthy_traces_nothing_is_compared():
    case = case_of(INCIDENT, assembled(SLOW), facts(SLOW), TRACES.empty_table())

    assert "times as long" not in numbers(case)


def test_a_cause_is_known_by_the_kinds_of_its_items_never_by_their_names():
    case = extracted(INCIDENT | {"causes": [CAUSE]})

    assert case.cause_kinds == ("model_version", "region")
    assert numbers(case)["cause region"] == 1.0
    assert numbers(case)["failing share of what touches the cause"] == 0.75
    assert numbers(case)["risk ratio"] == pytest.approx(log(1000), abs=1e-3)
    assert "north" not in str(case.document())


def test_only_changes_of_the_cause_are_told():
    changes = [{"kind": "deploy", "of_cause": True}, {"kind": "flag", "of_cause": False}]

    told = numbers(extracted(INCIDENT | {"changes": changes}))

    assert told["change deploy"] == 1.0
    assert "change flag" not in told


def test_traces_that_are_gone_leave_what_the_incident_states():
    case = case_of(INCIDENT, assembled([]), facts([]), TRACES.empty_table())

    assert (case.lines, case.structure) == ((), ())
    assert numbers(case)["share with a code"] == 0.75
