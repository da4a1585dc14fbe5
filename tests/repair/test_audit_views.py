"""S32 records, counts an hour, and the package for auditors."""

from dataclasses import replace
from typing import Any

import orjson

from graphmind.repair.audit import START, drafted, head_of, linked, verify_chain
from graphmind.repair.audit_views import HOUR_MS, HourCount, counts_per_hour, package, records
from graphmind.repair.journal import AuditDraft, AuditEntry
from graphmind.repair.states import State
from tests.repair.repairs import repair, step

Told = tuple[str, int, State, str, dict[str, Any]]
"""Event, time, state after it, who, and the rest."""


def entries_of(*told: Told, of=None) -> list[AuditEntry]:
    whom = of or repair("r1", step(1, "a"))
    return linked(
        [
            drafted(replace(whom, state=state), what, who=who, at_ms=at_ms, **facts)
            for what, at_ms, state, who, facts in told
        ],
        START,
    )


LIFE: tuple[Told, ...] = (
    ("propose", 1_000, State.PROPOSED, "policy", {"trace_ids": ["t1", "t2"], "detected_ms": 500}),
    ("run", 2_000, State.RUNNING, "runner", {}),
    ("step_applied", 2_700, State.RUNNING, "runner", {"call": {"action": "switch", "params": {}}}),
    ("executed", 2_700, State.VERIFYING, "runner", {}),
    ("effective", 9_000, State.SUCCEEDED, "verifier", {}),
)


def test_a_repair_gives_one_record_for_each_of_its_traces():
    found = records(entries_of(*LIFE), {"t1": "checkout"})

    assert [(r["trace_id"], r["task_id"]) for r in found] == [("t1", "checkout"), ("t2", "")]
    assert found[0] == {
        "trace_id": "t1",
        "task_id": "checkout",
        "detected_at": "1970-01-01T00:00:00.500+00:00",
        "root_cause": "model_version:m@2",
        "strategy_id": "switch-model",
        "executed_by": "runner",
        "status": "succeeded",
        "duration_ms": 700,
        "fallback_used": False,
        "rollback_applied": False,
    }


def test_a_repair_that_never_ran_has_no_duration_and_nobody_who_ran_it():
    (found,) = records(entries_of(("propose", 1, State.PROPOSED, "ann", {"task_ids": ["pay"]})))

    assert (found["trace_id"], found["task_id"], found["detected_at"]) == ("", "pay", None)
    assert (found["duration_ms"], found["executed_by"], found["status"]) == (None, "", "proposed")


def test_a_fallback_and_a_rollback_are_told():
    mark = {"call": {"action": "mark_trace", "params": {"tag": "fallback"}}}
    for facts in (mark, {"call": {"action": "degrade", "params": {}}}):
        told: Told = ("step_applied", 5, State.RUNNING, "runner", facts)
        (found,) = records(entries_of(LIFE[1], told))
        assert found["fallback_used"]

    undone: Told = ("step_undone", 4_000, State.ROLLING_BACK, "ann", {})
    found = records(entries_of(*LIFE[:4], undone))[0]
    assert (found["rollback_applied"], found["duration_ms"]) == (True, 2_000)


def test_entries_are_counted_by_hour_event_and_kind_of_operator():
    by_hand = repair("r2", operator="human")
    entries = [
        *entries_of(
            ("run", 5, State.RUNNING, "a", {}), ("run", HOUR_MS - 1, State.RUNNING, "a", {})
        ),
        *entries_of(("run", HOUR_MS, State.RUNNING, "a", {}), of=by_hand),
        *linked([AuditDraft(who="ann", what="stop", at_ms=HOUR_MS)], START),
    ]

    assert counts_per_hour(entries) == [
        HourCount(hour_ms=0, what="run", operator="system", count=2),
        HourCount(hour_ms=HOUR_MS, what="run", operator="human", count=1),
        HourCount(hour_ms=HOUR_MS, what="stop", operator="", count=1),
    ]


def test_the_package_is_one_json_document_whose_entries_can_be_verified():
    entries = entries_of(*LIFE)
    whole = package(
        repair("r1", step(1, "a"), verdict="effective", verification={"p95_ms": 12.5}),
        entries,
        head=head_of(entries[-1]),
        incident={"incident_id": "i1"},
        evidence={"risk_ratio": 8.0},
        rule_hits=[{"rule": "slow"}],
        structure_before={"edges": 3},
        structure_after={"edges": 2},
    )
    document = orjson.loads(orjson.dumps(whole))

    assert document["plan"]["steps"][0]["call"]["target"] == "a"
    assert document["plan_hash"]
    assert (document["verdict"], document["structure_after"]) == ("effective", {"edges": 2})
    assert len(document["records"]) == 2
    again = [
        AuditEntry(**{**entry, "draft": AuditDraft(**entry["draft"])})
        for entry in document["audit"]
    ]
    assert list(verify_chain(again, head_of(again[-1]))) == []
    assert again[-1].hash == document["audit_head"]["hash"]
