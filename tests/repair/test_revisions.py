from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphmind.graph.embedded import open_embedded
from graphmind.repair.strategies.loading import shipped
from graphmind.repair.strategies.revisions import (
    SHIPPED,
    ApprovalRefused,
    approve,
    in_use,
    revisions_from,
    rows_of_revisions,
    take_in,
    waiting,
)
from tests.repair.levers import strategy

OLD, NEW = strategy(title="Old"), strategy(title="New")


def proposed(*strategies, known=(), now_ms=10, by="ann", source="s.yaml"):
    return take_in(known, strategies, source=source, proposed_by=by, now_ms=now_ms)


def keys(revisions):
    return [revision.key for revision in revisions]


def test_a_shipped_revision_is_used_and_one_from_a_file_waits():
    library = proposed(*shipped(), source="library", by=SHIPPED)
    own = proposed(OLD)

    assert keys(in_use(library)) == sorted(each.key for each in shipped())
    assert in_use(own) == ()
    assert keys(waiting(own)) == [OLD.key]


def test_a_change_is_not_used_before_another_person_approves_it():
    (old,) = proposed(OLD)
    approved_old = approve(old, who="bob", now_ms=20)
    both = proposed(NEW, known=[approved_old], now_ms=30)

    assert keys(in_use(both)) == [OLD.key]
    assert keys(waiting(both)) == [NEW.key]

    new = next(revision for revision in both if revision.key == NEW.key)
    assert keys(in_use([approved_old, approve(new, who="bob", now_ms=40)])) == [NEW.key]


def test_nobody_approves_what_he_proposed():
    (own,) = proposed(OLD)

    with pytest.raises(ApprovalRefused, match="was proposed by ann: it takes another person"):
        approve(own, who="ann", now_ms=20)


def test_an_older_revision_comes_back_when_it_is_approved_again():
    revisions = proposed(OLD, NEW)
    old, new = sorted(revisions, key=lambda each: each.strategy.title, reverse=True)
    old, new = approve(old, who="bob", now_ms=20), approve(new, who="bob", now_ms=30)
    assert keys(in_use([old, new])) == [NEW.key]

    again = approve(old, who="bob", now_ms=40)

    assert again.approved_by == ("bob",)
    assert keys(in_use([again, new])) == [OLD.key]


def test_a_revision_that_is_switched_off_lets_no_older_one_back():
    old, new = (approve(each, who="bob", now_ms=20) for each in proposed(OLD, NEW))
    latest = max(old, new, key=lambda each: each.key)

    rest = [each for each in (old, new) if each is not latest]

    assert in_use([*rest, replace(latest, enabled=False)]) == ()


def test_taking_the_same_files_in_again_changes_nothing():
    known = [approve(each, who="bob", now_ms=20) for each in proposed(OLD)]

    assert proposed(OLD, known=known, now_ms=99, by="eve") == known


def test_revisions_come_back_from_the_graph_as_they_were_kept(tmp_path):
    kept = [
        *proposed(*shipped(), source="library", by=SHIPPED),
        *(approve(each, who="bob", now_ms=20) for each in proposed(OLD)),
        replace(proposed(NEW)[0], enabled=False),
    ]
    store = open_embedded(tmp_path / "g")
    store.ensure_schema()
    store.upsert(rows_of_revisions(kept))

    found = revisions_from(store.read("strategy_revisions"))
    store.close()

    assert found == sorted(kept, key=lambda each: each.key)


@given(st.lists(st.tuples(st.sampled_from([OLD, NEW]), st.sampled_from("bcd")), max_size=6))
def test_only_what_is_approved_is_ever_used(approvals):
    revisions = {each.key: each for each in proposed(OLD, NEW)}
    for at_ms, (which, who) in enumerate(approvals, start=100):
        revisions[which.key] = approve(revisions[which.key], who=who, now_ms=at_ms)

    used = in_use(revisions.values())

    assert keys(used) == [which.key for which, _ in approvals[-1:]]
