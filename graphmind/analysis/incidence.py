"""Which row holds which column, as compressed rows: the shape all of analysis reads."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

Integers: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]
Codes: TypeAlias = NDArray[np.int32]


@dataclass(frozen=True, kw_only=True)
class Incidence:
    """Rows of a boolean matrix: entry e of row i lies in ``starts[i]:starts[i + 1]``."""

    starts: Integers
    """(height + 1,), ascending from 0."""
    columns: Codes
    """(entries,), each column at most once per row."""
    width: int

    @property
    def height(self) -> int:
        """Number of rows."""
        return len(self.starts) - 1

    def lengths(self, rows: Integers) -> Integers:
        """Entries of each of the rows."""
        return self.starts[rows + 1] - self.starts[rows]

    def positions(self, rows: Integers) -> Integers:
        """Index of every entry of the rows, row after row."""
        lengths = self.lengths(rows)
        ends = np.cumsum(lengths)
        shift = self.starts[rows] - (ends - lengths)
        return np.repeat(shift, lengths) + np.arange(int(ends[-1]) if len(ends) else 0)

    def columns_of(self, rows: Integers) -> Codes:
        """Columns of the rows, row after row."""
        return self.columns[self.positions(rows)]

    def only(self, kept: Flags) -> "Incidence":
        """Drop the entries that are not kept; (entries,) flags."""
        return Incidence(
            starts=_starts_of(kept, self.starts), columns=self.columns[kept], width=self.width
        )

    def take(self, rows: Integers) -> "Incidence":
        """Take the rows, in the order given."""
        starts = np.concatenate([[0], np.cumsum(self.lengths(rows))])
        return Incidence(starts=starts, columns=self.columns_of(rows), width=self.width)

    def renumber(self, number: Codes, width: int) -> "Incidence":
        """Columns under new numbers; entries whose number is -1 are dropped."""
        columns = number[self.columns]
        kept = columns >= 0
        if kept.all():
            return Incidence(starts=self.starts, columns=columns, width=width)
        return Incidence(starts=_starts_of(kept, self.starts), columns=columns[kept], width=width)

    def transposed(self) -> "Incidence":
        """Columns as rows; the entries of each ascend."""
        ones = np.ones(len(self.columns), np.int8)
        shape = (self.height, self.width)
        by_column = csr_array((ones, self.columns, self.starts), shape=shape).tocsc()
        return Incidence(
            starts=by_column.indptr.astype(np.int64),
            columns=by_column.indices.astype(np.int32, copy=False),
            width=self.height,
        )


def sum_by(place: Integers | Codes, weight: Floats, count: int) -> Floats:
    """Sum the weights at each place: (count,)."""
    return np.bincount(place, weight, count).astype(np.float64, copy=False)


def _starts_of(kept: Flags, starts: Integers) -> Integers:
    """Where each row starts once only the kept entries are left."""
    before = np.zeros(len(kept) + 1, np.int32)
    np.cumsum(kept, out=before[1:])
    return before[starts].astype(np.int64)
