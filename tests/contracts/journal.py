"""What every Journal must do. Subclass ``JournalContract`` with a fixture ``journal``, empty."""

import threading
from dataclasses import replace

import pytest

from graphmind.errors import UnknownName
from graphmind.repair.audit import GENESIS, verify_chain
from graphmind.repair.graph_journal import verify_journal
from graphmind.repair.journal import AuditDraft, AuditHead, Journal, Lease, Outdated, TargetBusy
from graphmind.repair.record import StepRun, StepState
from graphmind.repair.states import State
from tests.repair.repairs import draft, kept_approved, repair, step

TARGET = "model_version:m@2"
LATER_MS = 5_000


def running(journal: Journal, repair_id: str, *, until_ms: int = LATER_MS, **changed):
    """Create a repair and run it, holding its target."""
    wanted = repair(repair_id, step(1, "a"), **changed)
    approved = kept_approved(journal, wanted)
    started = replace(approved, state=State.RUNNING)
    return journal.change(started, draft(started, "run"), lease_until_ms=until_ms)


class JournalContract:
    """Repairs, leases, switches and the audit trail, on any journal."""

    def test_a_repair_comes_back_as_it_was_kept(self, journal: Journal):
        run = StepRun(number=1, state=StepState.APPLIED, attempts=2, started_ms=5, detail="é\n'\"")
        wanted = repair("r1", step(1, "a"), steps=(run,), verification={"p": [0.5, None, {"x": 1}]})
        created = journal.create(wanted, draft(wanted, "propose"))

        assert created == replace(wanted, version=1)
        assert journal.get("r1") == created

    def test_a_change_raises_the_version_and_writes_its_entries(self, journal: Journal):
        created = journal.create(repair(), draft(repair(), "propose"))
        changed = journal.change(replace(created, reason="why"), draft(created, "plan"))

        assert (changed.version, journal.get("r1").reason) == (2, "why")
        assert [e.draft.what for e in journal.entries(repair_id="r1")] == ["propose", "plan"]

    def test_an_outdated_change_writes_nothing(self, journal: Journal):
        created = journal.create(repair(), draft(repair(), "propose"))
        journal.change(replace(created, reason="first"), draft(created, "plan"))
        head = journal.head()

        with pytest.raises(Outdated, match="version 2 is kept, 1 came"):
            journal.change(replace(created, reason="second"), draft(created, "plan"))
        assert journal.get("r1").reason == "first"
        assert journal.head() == head

    def test_the_same_idempotency_key_is_the_same_repair(self, journal: Journal):
        first = journal.create(repair("r1", idempotency_key="k"), draft(repair(), "propose"))
        again = repair("r2", idempotency_key="k")

        assert journal.create(again, draft(again, "propose")) == first
        assert [found.repair_id for found in journal.repairs()] == ["r1"]
        assert journal.head().seq == 1

    def test_repairs_without_a_key_are_different_ones(self, journal: Journal):
        for name in ("r1", "r2"):
            wanted = repair(name, idempotency_key="")
            journal.create(wanted, draft(wanted, "propose"))

        assert len(journal.repairs()) == 2

    def test_an_id_is_given_once(self, journal: Journal):
        journal.create(repair("r1"), draft(repair(), "propose"))

        with pytest.raises(Outdated, match="exists"):
            journal.create(repair("r1", idempotency_key="other"), draft(repair(), "propose"))

    def test_many_that_ask_by_one_key_at_once_get_one_repair(self, journal: Journal):
        got: list[str] = []

        def ask(number: int) -> None:
            wanted = repair(f"r{number}", idempotency_key="k")
            got.append(journal.create(wanted, draft(wanted, "propose")).repair_id)

        at_once([lambda number=number: ask(number) for number in range(6)])

        assert len(got) == 6
        assert len(set(got)) == 1
        assert len(journal.repairs()) == 1

    def test_what_is_not_there_is_named(self, journal: Journal):
        with pytest.raises(UnknownName, match="No repair 'nope'"):
            journal.get("nope")
        with pytest.raises(UnknownName, match="No repair 'r1'"):
            journal.change(repair(), draft(repair()))

    def test_repairs_are_found_by_incident_and_state_newest_first(self, journal: Journal):
        for number, (incident, state) in enumerate(
            [("i1", State.PROPOSED), ("i2", State.PLANNED), ("i1", State.PLANNED)]
        ):
            wanted = repair(f"r{number}", incident_id=incident, state=state, requested_ms=number)
            journal.create(wanted, draft(wanted, "propose"))

        def names(**wanted):
            return [found.repair_id for found in journal.repairs(**wanted)]

        assert names() == ["r2", "r1", "r0"]
        assert names(limit=2) == ["r2", "r1"]
        assert names(incident_id="i1") == ["r2", "r0"]
        assert names(states=["planned"]) == ["r2", "r1"]
        assert names(incident_id="i1", states=[State.PLANNED, State.RUNNING]) == ["r2"]

    def test_a_live_repair_holds_its_target_until_it_lives_no_more(self, journal: Journal):
        first = running(journal, "r1")
        second = kept_approved(journal, repair("r2", step(1, "a")))
        started = replace(second, state=State.RUNNING)

        assert journal.lease(TARGET) == Lease(target=TARGET, repair_id="r1", until_ms=LATER_MS)
        with pytest.raises(TargetBusy, match="held by repair r1"):
            journal.change(started, draft(started, "run"), lease_until_ms=9_000)
        assert journal.get("r2").state is State.APPROVED
        failed = replace(first, state=State.FAILED)
        journal.change(failed, draft(failed, "fail"))
        assert journal.lease(TARGET) is None
        assert journal.change(started, draft(started, "run"), lease_until_ms=9_000).version == 3

    def test_a_lease_that_ran_out_is_taken_unless_its_repair_stands_half_done(
        self, journal: Journal
    ):
        first = running(journal, "r1")
        second = kept_approved(journal, repair("r2", step(1, "a")))
        started = replace(second, state=State.RUNNING)
        late = draft(started, "run", at_ms=LATER_MS)

        with pytest.raises(TargetBusy, match="r1 stands half done"):
            journal.change(started, late, lease_until_ms=9_000)
        verifying = replace(first, state=State.VERIFYING)
        journal.change(verifying, draft(verifying, "executed"), lease_until_ms=LATER_MS)
        journal.change(started, late, lease_until_ms=9_000)
        held = journal.lease(TARGET)
        assert held is not None
        assert held.repair_id == "r2"

    def test_a_lease_is_renewed_and_left_as_it_is_where_nothing_is_said(self, journal: Journal):
        first = running(journal, "r1")
        renewed = journal.change(first, draft(first), lease_until_ms=7_000)
        journal.change(renewed, draft(first))

        held = journal.lease(TARGET)
        assert held is not None
        assert held.until_ms == 7_000

    def test_a_repair_that_runs_says_until_when(self, journal: Journal):
        approved = kept_approved(journal, repair("r1", step(1, "a")))
        started = replace(approved, state=State.RUNNING)

        with pytest.raises(ValueError, match="say until when"):
            journal.change(started, draft(started, "run"))
        assert journal.get("r1").state is State.APPROVED

    def test_of_many_that_run_at_once_on_one_target_one_does(self, journal: Journal):
        waiting = [kept_approved(journal, repair(f"r{n}", step(1, "a"))) for n in range(5)]
        won: list[str] = []

        def start(approved) -> None:
            started = replace(approved, state=State.RUNNING)
            try:
                journal.change(started, draft(started, "run"), lease_until_ms=9_000)
            except TargetBusy:
                return
            won.append(approved.repair_id)

        at_once([lambda one=one: start(one) for one in waiting])

        assert len(won) == 1
        assert [found.repair_id for found in journal.repairs(states=["running"])] == won

    def test_a_switch_is_empty_until_it_is_set_and_leaves_its_entry(self, journal: Journal):
        assert journal.setting("stop") == {}

        note = AuditDraft(who="ann", what="stop", at_ms=1)
        journal.set("stop", {"on": True, "list": [1, "a"]}, note)
        journal.set("other", {}, note)

        assert journal.setting("stop") == {"on": True, "list": [1, "a"]}
        assert journal.setting("other") == {}
        assert [entry.draft for entry in journal.entries()] == [note, note]

    def test_entries_of_no_repair_take_their_place_in_the_chain(self, journal: Journal):
        notes = [AuditDraft(who="ann", what=f"n{n}", at_ms=n, body={"n": n}) for n in range(3)]
        journal.note(*notes[:2])
        journal.note(notes[2])
        found = journal.entries()

        assert [entry.draft for entry in found] == notes
        assert [entry.seq for entry in found] == [1, 2, 3]
        assert found[0].prev_hash == GENESIS
        assert journal.head() == AuditHead(seq=3, hash=found[2].hash)

    def test_entries_are_read_from_a_place_up_to_a_number_within_a_time(self, journal: Journal):
        journal.note(*(AuditDraft(who="ann", what=str(n), at_ms=n) for n in range(10)))

        def what(**wanted):
            return "".join(entry.draft.what for entry in journal.entries(**wanted))

        assert what(from_seq=4, limit=3) == "345"
        assert what(from_ms=2, until_ms=5) == "234"

    def test_a_trace_a_task_or_a_strategy_finds_all_entries_of_its_repairs(self, journal: Journal):
        for name, strategy, traces in (
            ("r1", "switch@1", ["t1", "t2"]),
            ("r2", "switch@2", ["t2"]),
            ("r3", "switch-back@1", ["t9"]),
        ):
            wanted = repair(name, strategy=strategy)
            tasks = [f"task of {name}"]
            scoped = draft(wanted, "propose", trace_ids=traces, task_ids=tasks)
            kept = journal.create(wanted, scoped)
            journal.change(kept, draft(kept, "plan"))

        def found(**wanted):
            return [(e.draft.repair_id, e.draft.what) for e in journal.entries(**wanted)]

        r1, r2 = [("r1", "propose"), ("r1", "plan")], [("r2", "propose"), ("r2", "plan")]
        assert found(trace_id="t1") == r1
        assert found(trace_id="t2") == r1 + r2
        assert found(trace_id="t2", task_id="task of r2") == r2
        assert found(strategy="switch") == r1 + r2
        assert found(strategy="switch@2") == r2
        assert found(trace_id="t2", repair_id="r2") == r2
        assert found(trace_id="nope") == []

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"trace_ids": [], "task_ids": ["a"], "strategy": ""},
            {"trace_ids": "not a list", "task_ids": [1, 2], "strategy": 7},
            {"trace_ids": ["é\n'\"`$x", ""], "deep": {"b": [None, True, 0.1, 1.0, -(2**62)]}},
            {"nan": float("nan"), "tuple": (1, 2)},
        ],
    )
    def test_what_an_entry_says_keeps_its_hash(self, journal: Journal, body):
        journal.note(AuditDraft(who="ann", what="n", at_ms=1, body=body))

        assert list(verify_chain(journal.entries(), journal.head())) == []

    def test_many_writers_make_one_whole_chain(self, journal: Journal):
        def write(name: str) -> None:
            for n in range(10):
                journal.note(AuditDraft(who=name, what=str(n), at_ms=n))

        at_once([lambda name=name: write(name) for name in "abcd"])

        assert journal.head().seq == 40
        assert list(verify_journal(journal)) == []


def at_once(tasks) -> None:
    threads = [threading.Thread(target=task) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
