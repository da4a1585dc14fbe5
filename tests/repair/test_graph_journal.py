"""The journal in the embedded graph: its contract, what the graph shows, tampering found."""

import pytest

from graphmind.graph.port import GraphRows
from graphmind.repair.graph_journal import GraphJournal, verify_journal
from tests.contracts.journal import JournalContract, running
from tests.graph.planted import planted
from tests.repair.repairs import draft, kept_approved, repair, step


@pytest.fixture
def journal(store):
    return GraphJournal(store)


class TestGraphJournal(JournalContract):
    """The contract on the embedded engine."""


KEPT = (
    "MATCH (n) WHERE n:Repair OR n:RepairStep OR n:Approval OR n:AuditEntry OR n:JournalHead "
    "OR n:Lease OR n:Switch RETURN labels(n)[0] AS label, count(*) AS count ORDER BY label"
)
JOINED = (
    "MATCH (r:Repair)-[e]->(b) RETURN type(e) AS type, labels(b)[0] AS label ORDER BY type, label"
)


def asked(store, text):
    return [tuple(row.values()) for row in store.ask(text, {})]


def test_a_repair_is_joined_to_what_the_graph_holds(store, journal):
    store.upsert(planted())
    store.upsert(GraphRows(nodes={"Strategy": [{"key": "switch-model@3"}]}))
    kept_approved(journal, repair("r1", step(1, "a"), step(2, "b")))

    assert asked(store, JOINED) == [
        ("APPLIES", "Strategy"),
        ("HAS_APPROVAL", "Approval"),
        ("HAS_STEP", "RepairStep"),
        ("HAS_STEP", "RepairStep"),
        ("REPAIRS", "Incident"),
        ("TARGETS", "ModelVersion"),
    ]


@pytest.mark.parametrize(
    ("target", "label"),
    [
        ("agent:shop/router", "Agent"),
        ("region:eu", "Region"),
        ("key:redis:cart", "KvKey"),
        ("trace:t1", "Trace"),
        ("task:checkout", "Task"),
    ],
)
def test_a_target_of_any_level_is_found_by_its_name(store, journal, target, label):
    store.upsert(planted())
    kept_approved(journal, repair("r1", step(1, "a"), target=target))

    assert ("TARGETS", label) in asked(store, JOINED)


def test_a_new_analysis_and_retention_leave_repairs_and_the_trail_alone(store, journal):
    store.upsert(planted())
    running(journal, "r1")
    journal.set("stop", {"on": True}, draft(repair(), "stop"))
    before, kept = asked(store, KEPT), journal.get("r1")
    store.replace_derived(GraphRows(), "another run")
    store.prune(10_000_000)

    assert asked(store, "MATCH (n:Incident) RETURN count(*) AS n") == [(0,)]
    assert asked(store, KEPT) == before
    assert dict(before) == {
        "Approval": 1,
        "AuditEntry": 5,
        "JournalHead": 1,
        "Lease": 1,
        "Repair": 1,
        "RepairStep": 1,
        "Switch": 1,
    }
    assert journal.get("r1") == kept
    assert list(verify_journal(journal)) == []


@pytest.mark.parametrize(
    "change",
    [
        "SET e.who = 'eve'",
        "SET e.what = 'nothing'",
        "SET e.atMs = 7",
        "SET e.repairId = 'r9'",
        "SET e.traceIds = ['t9']",
        "SET e.taskIds = ['x']",
        "SET e.strategy = 'other@1'",
        "REMOVE e.strategy",
        "SET e.body = '{}'",
        "SET e.body = 'no json'",
        "SET e.body = '[]'",
        "SET e.prevHash = 'x'",
        "SET e.hash = 'x'",
    ],
)
def test_any_property_of_an_entry_that_is_changed_is_found_where_it_stands(store, journal, change):
    trail(journal)
    store._engine.write(f"MATCH (e:AuditEntry {{seq: 3}}) {change}", {})

    assert [(b.seq, b.fault) for b in verify_journal(journal)] == [(3, "changed")]


@pytest.mark.parametrize(
    ("change", "seqs"),
    [
        ("MATCH (e:AuditEntry {seq: 3}) DELETE e", [3]),
        ("MATCH (e:AuditEntry) WHERE e.seq IN [2, 3, 4] DELETE e", [2]),
        ("MATCH (e:AuditEntry {seq: 1}) DELETE e", [1]),
        ("MATCH (e:AuditEntry) WHERE e.seq >= 4 DELETE e", [4]),
        ("MATCH (e:AuditEntry) DELETE e", [1]),
        ("MATCH (h:JournalHead) SET h.hash = 'x'", [5]),
        ("MATCH (h:JournalHead) SET h.seq = 4", [5]),
        ("MATCH (e:AuditEntry {seq: 3}) SET e.seq = 4", [3]),
    ],
)
def test_entries_that_are_removed_or_moved_are_found(store, journal, change, seqs):
    trail(journal)
    store._engine.write(change, {})

    found = list(verify_journal(journal))
    assert [b.seq for b in found] == seqs
    assert found[0].detail


def trail(journal):
    wanted = repair()
    for n in range(5):
        scoped = draft(wanted, "step", at_ms=n, trace_ids=[f"t{n}"], task_ids=["checkout"])
        journal.note(scoped)
