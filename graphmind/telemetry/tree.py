"""Parent pointers of many trees at once: rows in, rows out, no recursion, any depth."""

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def find_rows(keys: Ints, wanted: Ints) -> Ints:
    """Return the row of each wanted key, -1 where it is absent; keys are unique."""
    if not len(keys):
        return np.full(len(wanted), -1, np.int64)
    order = np.argsort(keys, kind="stable")
    at = np.minimum(np.searchsorted(keys, wanted, sorter=order), len(keys) - 1)
    rows = order[at]
    return np.where(keys[rows] == wanted, rows, -1)


def depths(parent: Ints) -> tuple[Ints, Bools]:
    """Return the depth of each row (a root has 0) and which rows hang on a cycle.

    Pointer doubling: a chain of n rows takes log2(n) passes.
    """
    depth = (parent >= 0).astype(np.int64)
    ancestor = parent.copy()
    for _ in range(int(np.ceil(np.log2(max(len(parent), 2)))) + 1):
        up = ancestor >= 0
        if not up.any():
            break
        depth[up] += depth[ancestor[up]]
        ancestor[up] = ancestor[ancestor[up]]
    return depth, ancestor >= 0


def cut_cycles(parent: Ints, cyclic: Bools, rank: Ints) -> tuple[Ints, int]:
    """Make the lowest-ranked row of every cycle a root; return the pointers and how many.

    ``cyclic`` says which rows hang on a cycle, as ``depths`` does.
    """
    cut = parent.copy()
    state = np.zeros(len(parent), np.int8)  # 0 new, 1 on the present walk, 2 done
    cycles = 0
    for first in np.flatnonzero(cyclic):
        walk, row = [], int(first)
        while row >= 0 and state[row] == 0:
            state[row] = 1
            walk.append(row)
            row = int(cut[row])
        if row >= 0 and state[row] == 1:
            members = walk[walk.index(row) :]
            cut[min(members, key=lambda member: int(rank[member]))] = -1
            cycles += 1
        state[walk] = 2
    return cut, cycles


def siblings(parent: Ints, marked: Bools) -> Ints:
    """Return the rows that have a marked row under their parent: its siblings, and itself."""
    above = np.zeros(len(parent) + 1, bool)
    above[parent[marked]] = True
    above[-1] = False  # tops have no siblings
    return np.flatnonzero(above[parent])


def nearest(parent: Ints, has: Bools) -> Ints:
    """Return, per row, itself or its nearest ancestor that ``has``, -1 where none does."""
    end = len(parent)
    pointer = np.append(np.where(has, np.arange(end), np.where(parent < 0, end, parent)), end)
    while True:
        further = pointer[pointer]
        if np.array_equal(further, pointer):
            break
        pointer = further
    found: Ints = pointer[:end]
    return np.where(found == end, -1, found)


def covered(parent: Ints, start: Ints, end: Ints) -> Ints:
    """Return per row the time its children cover, clipped to the row's own interval."""
    child = np.flatnonzero(parent >= 0)
    above = parent[child]
    begins = np.clip(start[child], start[above], end[above])
    ends = np.clip(end[child], start[above], end[above])
    order = np.lexsort((begins, above))
    above, begins, ends = above[order], begins[order], ends[order]
    first = np.append(True, above[1:] != above[:-1]) if len(above) else np.zeros(0, bool)
    before = np.where(first, begins, np.append(0, running_max(ends, first)[:-1]))
    own = np.maximum(ends - np.maximum(begins, before), 0)
    total = np.zeros(len(parent), np.int64)
    np.add.at(total, above, own)
    return total


def running_max(values: Ints, first: Bools) -> Ints:
    """Return the running maximum from each ``first`` on; by ranks, so that nothing overflows."""
    if not len(values):
        return values
    order = np.argsort(values, kind="stable")
    rank = np.empty(len(values), np.int64)
    rank[order] = np.arange(len(values))
    group = np.cumsum(first) * len(values)
    highest: Ints = values[order][np.maximum.accumulate(group + rank) - group]
    return highest
