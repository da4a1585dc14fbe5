"""Which agents, models, tools and keys fail together, matched from analysis to analysis (S35)."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

from graphmind.analysis.communities import communities, match_groups
from graphmind.archive.port import Archive
from graphmind.telemetry.facts import Facts

KIND: Final = "community"
ITEM_KINDS: Final = ("agent", "kv_key", "model_version", "region", "service", "tool")
FAILING_MIN: Final = 5
"""Failing traces that an item, and a link, needs (chosen: as a cause does)."""
ITEMS_MAX: Final = 500
"""Items clustered, those on most failing traces: bounds time (chosen)."""
MS_NS: Final = 1_000_000
KEPT_MS: Final = 90 * 24 * 3_600_000
"""A community not seen for a quarter is forgotten (chosen)."""


@dataclass(frozen=True, kw_only=True)
class Community:
    """Items that failing traces touch together more often than chance would have it."""

    community_id: str
    """Of its first members; it stays while the members change."""
    members: tuple[str, ...]
    """``kind name``, sorted."""
    failing: int
    """Failing traces that touch at least two members."""
    joined: tuple[str, ...]
    left: tuple[str, ...]
    """Members that came and went since it was last seen."""
    first_ms: int
    last_ms: int
    """First failing trace of the windows in which it was first and last seen."""


def refresh_communities(archive: Archive, facts: Facts) -> list[Community]:
    """Find the communities of a window, match them to those known, store and return them."""
    known = archive.documents(KIND)
    found = communities_of(facts, known)
    oldest = max((each.last_ms for each in found), default=0) - KEPT_MS
    forgotten = [key for key, one in known.items() if one["last_ms"] < oldest]
    archive.replace_documents(
        KIND, {each.community_id: asdict(each) for each in found}, without=forgotten
    )
    return found


def communities_of(facts: Facts, known: Mapping[str, Mapping[str, Any]]) -> list[Community]:
    """Return the communities of a window, largest first; ``known`` are earlier ones by id."""
    touched, names, first_ms = _touched(facts)
    groups = [
        frozenset(names[item] for item in group)
        for group in communities(len(names), _links(touched))
        if len(group) > 1
    ]
    again = match_groups(groups, {key: frozenset(one["members"]) for key, one in known.items()})
    column = {name: number for number, name in enumerate(names)}
    found = [
        _community(group, known.get(match or ""), match, _failing(touched, group, column), first_ms)
        for group, match in zip(groups, again, strict=True)
    ]
    return sorted(found, key=lambda each: (-each.failing, each.community_id))


def _community(
    members: frozenset[str],
    past: Mapping[str, Any] | None,
    past_id: str | None,
    failing: int,
    seen_ms: int,
) -> Community:
    before = frozenset(past["members"]) if past else members
    digest = hashlib.sha256("|".join(sorted(members)).encode()).hexdigest()
    return Community(
        community_id=past_id or f"com-{digest[:10]}",
        members=tuple(sorted(members)),
        failing=failing,
        joined=tuple(sorted(members - before)),
        left=tuple(sorted(before - members)),
        first_ms=past["first_ms"] if past else seen_ms,
        last_ms=seen_ms,
    )


def _touched(facts: Facts) -> tuple[sparse.csr_array, Sequence[str], int]:
    """Return failing traces x items, the items' names, and when the first trace began, ms."""
    sick = pc.unique(facts.symptoms.filter(pc.is_valid(facts.symptoms["channel"]))["trace_id"])
    items = facts.items.filter(
        pc.and_(
            pc.is_in(facts.items["trace_id"], value_set=sick),
            pc.is_in(facts.items["kind"], value_set=pa.array(ITEM_KINDS)),
        )
    )
    label = pc.binary_join_element_wise(items["kind"], items["name"], " ").combine_chunks()
    counts = pc.value_counts(label).to_pylist()
    ranked = sorted((-each["counts"], each["values"]) for each in counts)
    names = sorted(name for less, name in ranked[:ITEMS_MAX] if -less >= FAILING_MIN)
    column = pc.fill_null(pc.index_in(label, value_set=pa.array(names, pa.string())), -1).to_numpy()
    row = pc.index_in(items["trace_id"], value_set=sick).to_numpy()
    kept = column >= 0
    shape = (len(sick), len(names))
    touched = sparse.csr_array((np.ones(kept.sum()), (row[kept], column[kept])), shape=shape)
    first_ns = pc.min(facts.traces["start_ns"]).as_py() or 0
    return touched, names, first_ns // MS_NS


def _links(touched: sparse.csr_array) -> list[tuple[int, int, float]]:
    """Link items by how many more failing traces touch both than would by chance."""
    together = sparse.triu(touched.T @ touched, k=1).tocoo()
    on = np.asarray(touched.sum(axis=0)).ravel()
    expected = on[together.row] * on[together.col] / max(touched.shape[0], 1)
    excess = together.data - expected
    kept = (together.data >= FAILING_MIN) & (excess > 0)
    return [
        (int(a), int(b), float(weight))
        for a, b, weight in zip(together.row[kept], together.col[kept], excess[kept], strict=True)
    ]


def _failing(touched: sparse.csr_array, members: frozenset[str], column: Mapping[str, int]) -> int:
    own = touched[:, sorted(column[name] for name in members)]
    return int((np.asarray(own.sum(axis=1)).ravel() >= 2).sum())
