"""The journal in a real Neo4j, where several processes may write: its contract, and at once."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace

import pytest

from graphmind.graph.journal import JOURNAL_TEXTS
from graphmind.graph.neo4j import open_neo4j
from graphmind.repair.graph_journal import GraphJournal, verify_journal
from graphmind.repair.journal import AuditDraft, Outdated, TargetBusy
from graphmind.repair.states import State
from tests.contracts.journal import JournalContract
from tests.live.conftest import Server
from tests.repair.repairs import draft, kept_approved, repair, step

pytestmark = pytest.mark.neo4j

PARAMETERS = {
    "id": "",
    "key": "",
    "target": "",
    "repairId": "",
    "name": "",
    "traceId": "",
    "taskId": "",
    "strategy": "",
    "incidentId": "",
    "hash": "",
    "seq": 0,
    "limit": 1,
    "fromSeq": 0,
    "fromMs": 0,
    "untilMs": 0,
    "states": [],
    "repairIds": [],
    "rows": [],
}
WRITERS = 3


@pytest.fixture(scope="module")
def stores(neo4j_server: Server):
    """Several stores on one server, as several processes would have."""
    opened = [open_neo4j(**asdict(neo4j_server)) for _ in range(WRITERS)]
    yield opened
    for store in opened:
        store.close()


@pytest.fixture
def journals(stores):
    stores[0]._engine.write("MATCH (n) DETACH DELETE n", {})
    stores[0].ensure_schema()
    return [GraphJournal(store) for store in stores]


@pytest.fixture
def journal(journals):
    return journals[0]


class TestNeo4jJournal(JournalContract):
    """The contract on a real Neo4j."""


@pytest.mark.parametrize("text", JOURNAL_TEXTS)
def test_the_server_plans_every_text(stores, text):
    stores[0].ask(f"EXPLAIN {text}", PARAMETERS)


def test_processes_that_write_at_once_make_one_whole_chain(journals):
    def write(journal) -> None:
        for n in range(20):
            journal.note(AuditDraft(who="x", what=str(n), at_ms=n))

    at_once(write, journals)

    assert journals[0].head().seq == 20 * WRITERS
    assert list(verify_journal(journals[0])) == []


def test_processes_that_ask_by_one_key_at_once_get_one_repair(journals):
    def ask(journal) -> set[str]:
        name = f"of {journals.index(journal)}"
        wanted = [repair(f"{name} {n}", idempotency_key=f"k{n}") for n in range(10)]
        return {journal.create(one, draft(one, "propose")).repair_id for one in wanted}

    got = at_once(ask, journals)

    assert got[0] == got[1] == got[2]
    assert len(journals[0].repairs()) == 10


def test_of_processes_that_change_one_repair_at_once_one_does(journals):
    created = journals[0].create(repair(), draft(repair(), "propose"))

    def change(journal) -> int:
        try:
            changed: int = journal.change(replace(created, reason="x"), draft(created)).version
        except Outdated:
            return 0
        return changed

    assert sorted(at_once(change, journals)) == [0, 0, 2]


def test_of_processes_that_run_on_one_target_at_once_one_does(journals):
    waiting = [kept_approved(journals[0], repair(f"r{n}", step(1, "a"))) for n in range(WRITERS)]

    def start(journal) -> str:
        started = replace(waiting[journals.index(journal)], state=State.RUNNING)
        try:
            journal.change(started, draft(started, "run"), lease_until_ms=9_000)
        except TargetBusy:
            return ""
        return f"r{journals.index(journal)}"

    won = [name for name in at_once(start, journals) if name]

    assert len(won) == 1
    assert [one.repair_id for one in journals[0].repairs(states=["running"])] == won


def at_once(work, journals) -> list:
    with ThreadPoolExecutor(len(journals)) as pool:
        return list(pool.map(work, journals))
