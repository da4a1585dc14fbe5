"""Incidents of an archive, confirmed and classified."""

import pytest

from graphmind.archive.duck import DuckArchive
from graphmind.errors import SettingsError, UnknownName
from graphmind.jobs.cases import TRACES_MAX, case_in, confirm_case, confirmed_cases
from graphmind.jobs.classify import classify
from graphmind.jobs.settle import settle
from graphmind.settings import Settings
from graphmind.telemetry.rejections import Rejections
from tests.builders import span
from tests.jobs.windows import loaded

NOW_MS = 1_700_000_100_000


@pytest.fixture
def archive():
    with DuckArchive(None) as archive:
        yield archive


def broken(trace, message):
    """A trace that fails in its search tool with this message."""
    tool = {"gen_ai.tool.name": "search"}
    return [
        span("root", 0, 90, trace=trace, failed=True),
        span(
            "call",
            10,
            80,
            trace=trace,
            parent="root",
            failed=True,
            status_message=message,
            attributes=tool,
        ),
    ]


def incident(name, trace_ids, **fields):
    return {
        "incident_id": name,
        "cluster_id": "CLUSTER_ERROR_SEARCH",
        "symptom": "error",
        "channels": ["error"],
        "root_module": "search",
        "root_module_share": 1.0,
        "root_path": "root > call",
        "root_span": {"trace_id": trace_ids[0], "span_id": "call"},
        "error_codes": {},
        "trace_ids": trace_ids,
        "survivors": [],
        "causes": [],
        "changes": [],
        "task_count": 1,
        "agent_count": 1,
        "region_count": 1,
        "unexplained_share": 1.0,
    } | fields


def with_incidents(archive, messages, *, each=3):
    """Load an incident for every message, of traces that fail with it."""
    traces = {name: [f"{name}-t{n}" for n in range(each)] for name in messages}
    loaded(
        archive,
        [
            row
            for name, own in traces.items()
            for trace in own
            for row in broken(trace, messages[name])
        ],
    )
    settle(archive, Settings(), Rejections())
    archive.save_incidents("run", [incident(name, own) for name, own in traces.items()])


SPOKEN = {"dns_failed": "no such host", "out_of_memory": "heap exhausted"}
"""What failing spans say in incidents of two classes."""


def test_without_cases_the_rules_speak(archive):
    with_incidents(archive, {"inc-1": "[Errno -2] Name or service not known"})

    told = classify(archive, Settings(), "inc-1")

    assert told.route == "rules"
    assert told.verdict is not None
    assert (told.verdict.root_cause, told.verdict.root_node) == ("dns_failed", "search")
    assert told.candidates[0].span == "inc-1-t0:call"


def test_a_users_rules_are_heard(archive, tmp_path):
    with_incidents(archive, {"inc-1": "flux capacitor drained"})
    own = tmp_path / "own.yaml"
    own.write_text("- {label: flux_lost, confidence: 0.9, text: [flux]}\n")

    told = classify(archive, Settings(rules=str(own)), "inc-1")

    assert told.verdict is not None
    assert told.verdict.root_cause == "flux_lost"


def test_an_incident_that_nobody_knows_is_not_classified(archive):
    with pytest.raises(UnknownName):
        classify(archive, Settings(), "inc-9")
    with pytest.raises(UnknownName):
        confirm_case(archive, "inc-9", "dns_failed", "ann", NOW_MS)


def test_a_label_that_no_rule_could_state_is_refused(archive):
    with_incidents(archive, {"inc-1": "no such host"})

    with pytest.raises(SettingsError, match="got 'DNS failed'"):
        confirm_case(archive, "inc-1", "DNS failed", "ann", NOW_MS)


def test_a_confirmed_incident_is_what_somebody_said_and_a_later_word_counts(archive):
    with_incidents(archive, {"inc-1": "no such host"})
    confirm_case(archive, "inc-1", "dns_failed", "ann", NOW_MS)
    confirm_case(archive, "inc-1", "out_of_memory", "repair cmd-7", NOW_MS + 1)

    told = classify(archive, Settings(), "inc-1")

    assert told.verdict is not None
    assert told.verdict.root_cause == "out_of_memory"
    assert told.candidates[0].reason == "confirmed by repair cmd-7"
    assert len(confirmed_cases(archive)) == 1


def test_a_new_incident_is_classified_by_confirmed_cases_of_its_kind(archive):
    messages = {
        f"{label}-{'abcdef'[n]}": f"{text} said {'abcdef'[n]}"
        for label, text in SPOKEN.items()
        for n in range(6)
    }
    with_incidents(archive, messages | {"inc-new": "heap exhausted said b"})
    for name in messages:
        confirm_case(archive, name, name.rpartition("-")[0], "ann", NOW_MS)

    told = classify(archive, Settings(), "inc-new")

    assert told.route != "rules"
    assert told.cases == 12
    assert told.f1[told.route] == max(told.f1.values())
    assert told.verdict is not None
    assert told.verdict.root_cause == "out_of_memory"


def test_the_choice_is_kept_until_the_cases_have_changed_enough(archive):
    with_incidents(archive, {"inc-1": "no such host", "inc-2": "heap exhausted"})
    classify(archive, Settings(), "inc-2")
    without = archive.documents("classifier")
    confirm_case(archive, "inc-1", "dns_failed", "ann", NOW_MS)

    classify(archive, Settings(), "inc-2")

    assert without["classifier"]["classes"] == []
    assert archive.documents("classifier")["classifier"]["classes"] == ["dns_failed"]


def test_a_case_outlives_its_traces(archive):
    with_incidents(archive, {"inc-1": "no such host"})
    archive.save_incidents("run", [incident("inc-gone", ["pruned-1", "pruned-2"])])

    case = case_in(archive, archive.incident("inc-gone"))

    assert (case.symptom, case.lines, case.structure) == ("error", (), ())
    assert classify(archive, Settings(), "inc-gone").verdict is None


def test_a_case_is_read_from_traces_spread_over_the_time_of_the_incident(archive):
    rows = [
        row | {"start_ns": row["start_ns"] + n * 10**9, "end_ns": row["end_ns"] + n * 10**9}
        for n in range(40)
        for row in broken(f"t{n:02}", "early" if n < 20 else "late")
    ]
    loaded(archive, rows)
    settle(archive, Settings(), Rejections())

    case = case_in(archive, incident("inc-1", [f"t{n:02}" for n in range(40)]))

    shares = {line.text: line.share for line in case.lines}
    assert TRACES_MAX == 16
    assert (shares["early"], shares["late"]) == (0.5, 0.5)
