"""The items worth testing: on enough traces to become significant, equal ones as one column."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from graphmind.analysis.incidence import Codes, Flags, Floats, Incidence, Integers
from graphmind.analysis.moments import sums_before
from graphmind.analysis.options import CauseOptions
from graphmind.analysis.sample import Sample

PLACES = frozenset({"module", "service"})
LINEAGE: Final = (
    *("kv_key", "written_by_agent", "written_by_trace"),
    *("fed_by_agent", "fed_by_trace"),
)
"""Kinds that name one state-write chain: the life of a written value bounds them all."""
SUPPORT_MIN = 3.0  # Chosen: below it no base rate could make an item significant.
TARONE_ROUNDS = 5  # The support and the number of tests depend on each other; settles in 2 to 4.


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Testable items of one channel; column ids ascend with the item ids they stand for."""

    item: Integers
    """(columns,), the least item id of each column."""
    twins: dict[int, Integers]
    """Column -> all item ids with exactly its traces, where there are several."""
    by_trace: Incidence
    by_column: Incidence
    exposed: Floats
    """(columns,), evidence weight of the traces."""
    failed: Floats
    variance: Floats
    exposed_before: Floats
    """(parts + 1, columns), ``exposed`` up to each part of the window; see moments.py."""
    pairable: Flags
    """(columns,), whether a pair may be made with it."""
    lineage: Codes
    """(columns,), the place in LINEAGE of the kind that a column stands for; -1 for others."""
    search_nats: Floats
    """(columns,), what a cause of that column pays for having been searched for."""
    untestable: int
    """Items on too few traces for any outcome to be significant."""

    @property
    def count(self) -> int:
        """Number of columns."""
        return len(self.item)

    def rows_of(self, key: tuple[int, ...]) -> Integers:
        """Rows that touch all columns of the key, ascending."""
        rows = self._rows(key[0])
        for column in key[1:]:
            other = self._rows(column)
            rows = rows[np.isin(rows, other, assume_unique=True)]
        return rows

    def _rows(self, column: int) -> Integers:
        starts = self.by_column.starts
        return self.by_column.columns[starts[column] : starts[column + 1]].astype(np.int64)

    def in_one_chain(self, key: tuple[int, ...], other: tuple[int, ...]) -> bool:
        """Whether two keys may name one written value: by what it is, and by who wrote it.

        Two of a kind, as one key and another, name different ones.
        """
        kinds = [{int(self.lineage[c]): c for c in columns} for columns in (key, other)]
        if any(-1 in each for each in kinds):
            return False
        return all(kinds[0][kind] == kinds[1][kind] for kind in kinds[0].keys() & kinds[1].keys())

    def search_nats_of(self, key: tuple[int, ...]) -> float:
        """Price of the search for a cause: of its dearest column."""
        return float(self.search_nats[list(key)].max())

    def items_of(self, column: int) -> Integers:
        """All item ids the column stands for."""
        return self.twins.get(column, self.item[column : column + 1])


def testable_columns(
    items: Incidence,
    sample: Sample,
    options: CauseOptions,
    *,
    channels: int,
    kinds: Sequence[str] | None,
) -> Columns:
    """Choose the items to test in a channel, one of several channels tested.

    With the kind of each item, every kind has the same share of the error allowed, and its items
    share that (weighted Bonferroni, Genovese et al. 2006): one of three regions was easier to find
    than one of a thousand endpoints, so it pays less.
    """
    exposed = items.sums_of_all(sample.weight)
    support, tests = _tarone(exposed, sample, options, channels=channels)
    failing = np.flatnonzero(sample.failing)
    failures, failed = items.sums(failing, np.ones(len(failing)), sample.weight[failing])
    chosen = np.flatnonzero((exposed >= support) & (failures >= options.failures_min))
    by_trace = items.renumber(_numbering(chosen, items.width), len(chosen))
    by_column = by_trace.transposed()
    first, group = _equal_columns(by_column)
    if len(first) < len(chosen):
        by_trace = by_trace.renumber(_numbering(first, len(chosen)), len(first))
        by_column = by_column.take(first)
    return Columns(
        item=chosen[first],
        twins=_twins(chosen, group),
        by_trace=by_trace,
        by_column=by_column,
        exposed=exposed[chosen[first]],
        failed=failed[chosen[first]],
        variance=by_trace.sums_of_all(sample.variance),
        exposed_before=sums_before(by_trace, np.arange(by_trace.height), sample.weight),
        pairable=_pairable(kinds, chosen, group),
        lineage=_lineage(kinds, chosen[first]),
        search_nats=(
            np.full(len(first), np.log(max(tests * channels, 2)))
            if kinds is None
            else _by_kind([kinds[int(item)] for item in chosen], group, channels)
        ),
        untestable=int(((exposed > 0) & (exposed < support)).sum()),
    )


def _pairable(kinds: Sequence[str] | None, chosen: Integers, group: Integers) -> Flags:
    """Whether a column stands for anything but the place where a failure shows.

    What fails at a module has touched it, so every cause seems to interact with its module.
    """
    other = np.array([kinds is None or kinds[int(item)] not in PLACES for item in chosen], bool)
    return np.bincount(group, other, minlength=int(group.max(initial=-1)) + 1) > 0


def _lineage(kinds: Sequence[str] | None, items: Integers) -> Codes:
    place = {kind: number for number, kind in enumerate(LINEAGE)}
    named = [-1 if kinds is None else place.get(kinds[item], -1) for item in items.tolist()]
    return np.array(named, np.int32)


def _by_kind(kinds: list[str], group: Integers, channels: int) -> Floats:
    """Price of each group of equal columns: its cheapest item's, ln(channels x kinds x items)."""
    names, code, count = np.unique(kinds, return_inverse=True, return_counts=True)
    price = np.log(np.maximum(channels * len(names) * count[code], 2))
    least = np.full(int(group.max(initial=-1)) + 1, np.inf)
    np.minimum.at(least, group, price)
    return least


def _tarone(
    exposed: Floats, sample: Sample, options: CauseOptions, *, channels: int
) -> tuple[float, int]:
    """Least support that could become significant, and the items that have it (Tarone 1990)."""
    base_rate = max(float(sample.weight[sample.failing].sum() / sample.weight.sum()), 1e-6)
    tests, support = int((exposed > 0).sum()), SUPPORT_MIN
    for _ in range(TARONE_ROUNDS):
        needed = np.log(max(tests, 2) * channels / options.alpha)
        support = max(SUPPORT_MIN, float(needed / max(-np.log(base_rate), 0.05)))
        tests = int((exposed >= support).sum())
    return support, tests


def _numbering(chosen: Integers, width: int) -> Codes:
    """Column -> its place among the chosen, -1 for the others."""
    number = np.full(width, -1, np.int32)
    number[chosen] = np.arange(len(chosen), dtype=np.int32)
    return number


def _equal_columns(by_column: Incidence) -> tuple[Integers, Integers]:
    """First column of each group of columns with equal rows, ascending; and each one's group.

    Columns of the same length, first and last row are compared by the sum of a random 64-bit
    number per row: n of them collide with probability n^2 / 2^65.
    """
    starts, rows = by_column.starts, by_column.columns
    looks = np.stack([np.diff(starts), rows[starts[:-1]], rows[starts[1:] - 1]], axis=1)
    _, look, count = np.unique(looks, axis=0, return_inverse=True, return_counts=True)
    alike = np.flatnonzero(count[look] > 1)
    sums = np.zeros(len(look), np.uint64)
    if len(alike):
        numbers = np.random.default_rng(7).integers(1 << 63, size=by_column.width, dtype=np.uint64)
        some = by_column.take(alike)
        sums[alike] = np.add.reduceat(numbers[some.columns], some.starts[:-1])
    keys = np.stack([look.astype(np.uint64), sums], axis=1)
    _, first, group = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    place = np.argsort(first)
    return first[place], np.argsort(place)[group]


def _twins(chosen: Integers, group: Integers) -> dict[int, Integers]:
    """Group -> the items in it, where several."""
    size = np.bincount(group)
    return {int(number): chosen[group == number] for number in np.flatnonzero(size > 1)}
