"""The chain: whatever is changed, removed, put in, moved or cut off is found where it stands."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphmind.repair.audit import (
    GENESIS,
    START,
    digest,
    head_of,
    linked,
    proposed,
    verify_chain,
)
from graphmind.repair.journal import AuditDraft, AuditEntry, AuditHead
from tests.repair.repairs import repair

TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
DRAFTS = st.builds(
    AuditDraft,
    who=TEXT,
    what=TEXT,
    at_ms=st.integers(0, 2**53),
    repair_id=TEXT,
    body=st.dictionaries(TEXT, VALUES, max_size=4),
)
CHAINS = st.lists(DRAFTS, min_size=1, max_size=8).map(lambda drafts: linked(drafts, START))
OF_ENTRY = ("seq", "prev_hash", "hash")
OF_DRAFT = ("who", "what", "at_ms", "repair_id", "body")


def chain(count: int) -> list[AuditEntry]:
    return linked([AuditDraft(who="w", what=str(n), at_ms=n) for n in range(count)], START)


def found(entries, head) -> list[tuple[int, int, str]]:
    return [(b.place, b.seq, b.fault) for b in verify_chain(entries, head)]


def mutated(entry: AuditEntry, field: str, value) -> AuditEntry:
    if field in OF_ENTRY:
        return replace(entry, **{field: value})
    return replace(entry, draft=replace(entry.draft, **{field: value}))


def value_of(entry: AuditEntry, field: str):
    return getattr(entry if field in OF_ENTRY else entry.draft, field)


def rehashed(entry: AuditEntry) -> AuditEntry:
    return replace(entry, hash=digest(entry.seq, entry.prev_hash, entry.draft))


@given(CHAINS)
def test_a_chain_that_was_written_is_whole(entries):
    assert found(entries, head_of(entries[-1])) == []
    assert entries[0].prev_hash == GENESIS


@given(st.data(), CHAINS, st.sampled_from([*OF_ENTRY, *OF_DRAFT]))
def test_any_field_that_is_changed_in_any_entry_is_found_there_and_only_there(data, entries, field):
    place = data.draw(st.integers(1, len(entries)))
    old = value_of(entries[place - 1], field)
    new = data.draw(
        {"seq": st.integers(0, 20), "at_ms": st.integers(0, 2**53)}.get(
            field, st.dictionaries(TEXT, VALUES, max_size=3) if field == "body" else TEXT
        ).filter(lambda value: repr(value) != repr(old) and value != old)
    )
    tampered = [*entries]
    tampered[place - 1] = mutated(entries[place - 1], field, new)

    assert found(tampered, head_of(entries[-1])) == [(place, place, "changed")]


@given(st.data(), CHAINS, st.sampled_from(["prev_hash", *OF_DRAFT]))
def test_an_entry_that_is_changed_and_hashed_anew_is_found_at_its_place_or_the_next(
    data, entries, field
):
    place = data.draw(st.integers(1, len(entries)))
    new = {"at_ms": 2**60, "body": {"new": "body"}}.get(field, "something else that is long")
    tampered = [*entries]
    tampered[place - 1] = rehashed(mutated(entries[place - 1], field, new))
    breaks = found(tampered, head_of(entries[-1]))

    assert breaks
    assert {at for at, _, _ in breaks} <= {place, place + 1}
    assert {fault for _, _, fault in breaks} == {"unlinked"}


@given(st.integers(2, 9), st.data())
def test_what_is_removed_is_missed_where_it_stood(count, data):
    entries = chain(count)
    first = data.draw(st.integers(1, count))
    last = data.draw(st.integers(first, count))
    left = [e for e in entries if not first <= e.seq <= last]

    assert found(left, head_of(entries[-1])) == [(first, first, "missing")]


@given(st.integers(1, 9), st.data())
def test_what_is_put_in_is_found_however_it_is_linked(count, data):
    entries = chain(count)
    at = data.draw(st.integers(1, count))
    before = entries[at - 2].hash if at > 1 else GENESIS
    forged = linked([AuditDraft(who="eve", what="x", at_ms=0)], AuditHead(seq=at - 1, hash=before))
    breaks = found([*entries[: at - 1], *forged, *entries[at - 1 :]], head_of(entries[-1]))

    assert breaks
    assert {place for place, _, _ in breaks} <= {at, at + 1, at + 2}


@given(st.integers(2, 9), st.data())
def test_entries_that_change_places_are_found(count, data):
    entries = chain(count)
    first = data.draw(st.integers(0, count - 2))
    second = data.draw(st.integers(first + 1, count - 1))
    entries[first], entries[second] = entries[second], entries[first]
    breaks = found(entries, head_of(max(entries, key=lambda e: e.seq)))

    assert breaks[0][0] == first + 1


def test_a_tail_cut_off_is_missed_by_the_head():
    entries = chain(5)

    assert found(entries[:3], head_of(entries[-1])) == [(4, 4, "missing")]
    assert found([], head_of(entries[-1])) == [(1, 1, "missing")]


def test_a_trail_beyond_its_head_and_a_head_of_another_trail_are_found():
    entries = chain(3)

    assert found(entries, head_of(entries[1])) == [(3, 3, "out_of_place")]
    assert found(entries, AuditHead(seq=3, hash="x")) == [(3, 3, "unlinked")]


def test_a_part_of_a_trail_is_held_against_where_it_begins():
    entries = chain(6)

    assert list(verify_chain(entries[2:], head_of(entries[-1]), after=head_of(entries[1]))) == []
    assert list(verify_chain(entries[2:], after=AuditHead(seq=2, hash="x")))


@pytest.mark.parametrize("tasks", [[], ["pay"]])
def test_the_first_entry_names_traces_tasks_and_the_detection(tasks):
    command = {"trace_scope": ["t1"], "touches": {"tasks": ["checkout"]}}
    first = proposed(repair(command=command), who="ann", at_ms=5, detected_ms=3, task_ids=tasks)

    assert (first.what, first.repair_id, first.at_ms) == ("propose", "r1", 5)
    assert first.body["trace_ids"] == ["t1"]
    assert first.body["task_ids"] == (tasks or ["checkout"])
    assert first.body["detected_ms"] == 3
    assert first.body["strategy"] == "switch-model@3"
