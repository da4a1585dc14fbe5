from random import Random

import pytest

from graphmind.archive.duck import DuckArchive
from graphmind.jobs.communities import KEPT_MS, communities_of, refresh_communities
from tests.incidents.windows import facts

CREW = ("agent a", "model_version m@1", "tool search")
OTHERS = ("agent b", "region eu")


def window(*groups, prefix="t"):
    """Facts in which ten traces fail with each group of items, and ten pass with all of them."""
    traces, items, symptoms = [], [], []
    for number, group in enumerate(groups):
        for n in range(10):
            name = f"{prefix}{number}-{n}"
            traces.append(name)
            symptoms.append((name, "error"))
            items += [(name, *item.split(" ", 1)) for item in group]
    healthy = [f"{prefix}h{n}" for n in range(10)]
    items += [(name, *item.split(" ", 1)) for name in healthy for g in groups for item in g]
    return facts([*traces, *healthy], items=items, symptoms=symptoms)


def members(found):
    return {community.community_id: community.members for community in found}


@pytest.fixture
def archive():
    with DuckArchive(None) as opened:
        yield opened


def test_items_that_fail_together_are_a_community():
    assert {*members(communities_of(window(CREW, OTHERS), {})).values()} == {CREW, OTHERS}


def test_a_community_keeps_its_id_while_its_members_change(archive):
    (before,) = [c for c in refresh_communities(archive, window(CREW, OTHERS)) if c.members == CREW]
    changed = (*CREW[:2], "tool write")
    after = refresh_communities(archive, window(changed, OTHERS, prefix="u"))
    (again,) = [c for c in after if c.members == changed]

    assert again.community_id == before.community_id
    assert (again.joined, again.left) == (("tool write",), ("tool search",))


def test_another_community_gets_another_id(archive):
    refresh_communities(archive, window(CREW, OTHERS))
    found = refresh_communities(archive, window(("agent x", "tool y"), OTHERS, prefix="u"))

    assert len(archive.documents("community")) == 3
    assert {community.joined for community in found} == {()}


def test_a_community_not_seen_for_a_quarter_is_forgotten(archive):
    old = {"members": ["agent x", "tool y"], "first_ms": 0, "last_ms": 1000 - KEPT_MS}
    archive.replace_documents(
        "community", {"com-old": {**old, "last_ms": 999 - KEPT_MS}, "com-new": old}
    )
    refresh_communities(archive, window(CREW, OTHERS))

    assert {*archive.documents("community")} >= {"com-new"}
    assert "com-old" not in archive.documents("community")


def test_healthy_traces_make_no_community():
    assert communities_of(facts(["t"], items=[("t", "agent", "a"), ("t", "tool", "b")]), {}) == []


def test_the_order_of_rows_changes_nothing():
    given = window(CREW, OTHERS)
    order = Random(3).sample(range(given.items.num_rows), given.items.num_rows)
    mixed = type(given)(**{**vars(given), "items": given.items.take(order)})

    assert communities_of(mixed, {}) == communities_of(given, {})
