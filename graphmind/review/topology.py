"""What fails together, matched from week to week so that names stay."""

import hashlib
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from graphmind.analysis.communities import match_groups
from graphmind.review.material import Cluster
from graphmind.review.model import Group


def match(found: Sequence[Cluster], before: Sequence[Group]) -> tuple[Group, ...]:
    """Name the clusters of a week by those of the week before; the gone ones come last.

    Each is matched with one at most, so that together they overlap as much as can be.
    """
    known = {group.group_id: group for group in before if group.standing != "gone"}
    again = match_groups(
        [frozenset(each.weights) for each in found],
        {group_id: frozenset(group.members) for group_id, group in known.items()},
    )
    taken = {group.name for group in known.values()}
    groups = []
    for cluster, match_id in sorted(zip(found, again, strict=True), key=_strength):
        groups.append(_group(cluster, known.get(match_id or ""), taken))
        taken.add(groups[-1].name)
    gone = [_gone(group) for group_id, group in known.items() if group_id not in again]
    order = lambda group: (-group.failing, -group.failing_before, group.group_id)  # noqa: E731
    return (*sorted(groups, key=order), *sorted(gone, key=order))


def _strength(matched: tuple[Cluster, str | None]) -> tuple[int, list[str]]:
    return -matched[0].failing, sorted(matched[0].weights)


def _group(cluster: Cluster, past: Group | None, taken: AbstractSet[str]) -> Group:
    members = frozenset(cluster.weights)
    before = frozenset(past.members) if past else members
    changed = "same" if members == before else "changed"
    return Group(
        group_id=past.group_id if past else _id(members),
        name=past.name if past else _name(cluster, taken),
        standing=changed if past else "new",
        failing=cluster.failing,
        failing_before=past.failing if past else 0,
        members=tuple(sorted(members)),
        joined=tuple(sorted(members - before)),
        left=tuple(sorted(before - members)),
    )


def _gone(past: Group) -> Group:
    return Group(
        group_id=past.group_id,
        name=past.name,
        standing="gone",
        failing=0,
        failing_before=past.failing,
        members=(),
        joined=(),
        left=past.members,
    )


def _name(cluster: Cluster, taken: AbstractSet[str]) -> str:
    """Name it after the member that most failing traces touch, of those no other is named after."""
    ranked = sorted(cluster.weights, key=lambda member: (-cluster.weights[member], member))
    names = [member.partition(" ")[2] or member for member in ranked]
    return next((name for name in names if name not in taken), names[0])


def _id(members: frozenset[str]) -> str:
    return f"com-{hashlib.sha256('|'.join(sorted(members)).encode()).hexdigest()[:10]}"
