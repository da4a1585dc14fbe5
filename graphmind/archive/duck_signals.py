"""Lines and points in the archive's DuckDB file."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Final

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from graphmind.archive.database import SIGNALS, number, sql
from graphmind.archive.signals import EVER, Between, Kept
from graphmind.telemetry.logs import LOGGED

RANGES_MAX: Final = 8
"""Stretches of stored time that one append looks for repeats in (chosen): one stray time among
those of now does not make it read all that lies between."""

_Cursor = AbstractContextManager[duckdb.DuckDBPyConnection]
_TEXTS: Final = pa.string()
_WITHIN: Final = pa.schema(
    [("service", pa.string()), ("from_ns", pa.int64()), ("until_ns", pa.int64())]
)


class DuckSignals:
    """Implements ``Signals`` by the transactions of a ``DuckArchive``."""

    def __init__(self, snapshot: Callable[[], _Cursor], transaction: Callable[[], _Cursor]) -> None:
        """Take over how the archive opens a snapshot to read, and a transaction to write."""
        self._snapshot = snapshot
        self._transaction = transaction

    def append_lines(self, batches: Iterable[pa.RecordBatch]) -> Kept:
        """Store lines in one transaction; repeated ones are left out."""
        return self._append("lines", batches)

    def append_points(self, batches: Iterable[pa.RecordBatch]) -> Kept:
        """Store points in one transaction; repeated ones are left out."""
        return self._append("points", batches)

    def lines(
        self,
        when: Between = EVER,
        *,
        trace_ids: pa.Array | None = None,
    ) -> pa.Table:
        """Lines by time, then line_id; see the port."""
        with self._snapshot() as cursor:
            _register(cursor, "wanted", trace_ids)
            terms = {**_bounds(when), "every": trace_ids is None}
            found = cursor.sql(sql("lines"), params=terms)
            return found.to_arrow_table().cast(SIGNALS["lines"])

    def untraced_lines(self, within: Mapping[str, Between], *, most: int) -> pa.Table:
        """Lines of no trace by service and time; see the port."""
        whole = Between(
            from_ns=min((when.from_ns for when in within.values()), default=0),
            until_ns=max((when.until_ns for when in within.values()), default=0),
        )
        rows = [{"service": service, **_bounds(when)} for service, when in within.items()]
        with self._snapshot() as cursor:
            cursor.register("wanted", pa.Table.from_pylist(rows, schema=_WITHIN))
            found = cursor.sql(sql("untraced_lines"), params={**_bounds(whole), "most": most})
            return found.to_arrow_table().cast(SIGNALS["lines"])

    def logged(self, when: Between, trace_ids: pa.Array) -> pa.Table:
        """Patterns by trace; see the port."""
        with self._snapshot() as cursor:
            _register(cursor, "wanted", trace_ids)
            found = cursor.sql(sql("logged"), params=_bounds(when))
            return found.to_arrow_table().cast(LOGGED)

    def points(
        self,
        when: Between = EVER,
        *,
        names: Iterable[str] | None = None,
        prefix: str = "",
        agent: str | None = None,
        module: str | None = None,
        trace_ids: pa.Array | None = None,
    ) -> pa.Table:
        """Points by name, labels, then time; see the port."""
        with self._snapshot() as cursor:
            _register(cursor, "wanted", trace_ids)
            _register(cursor, "wanted_names", None if names is None else sorted(set(names)))
            found = cursor.sql(
                sql("points"),
                params={
                    **_bounds(when),
                    "every": trace_ids is None,
                    "any_name": names is None,
                    "prefix": prefix,
                    "agent": agent,
                    "module": module,
                },
            )
            return found.to_arrow_table().cast(SIGNALS["points"])

    def prune(self, before_ns: int) -> int:
        """Delete what is older."""
        with self._transaction() as cursor:
            return sum(
                number(cursor, sql("delete_signals", table=table), {"before_ns": before_ns})
                for table in SIGNALS
            )

    def counts(self) -> dict[str, int]:
        """Return the number of rows by table."""
        with self._snapshot() as cursor:
            return {table: number(cursor, sql("count_rows", table=table)) for table in SIGNALS}

    def _append(self, table: str, batches: Iterable[pa.RecordBatch]) -> Kept:
        """Insert what is not there yet: looked for only about the times that arrive."""
        arriving = pa.Table.from_batches(batches, schema=SIGNALS[table])
        if not arriving.num_rows:
            return Kept(new=0, duplicate=0)
        with self._transaction() as cursor:
            place = pa.array(np.arange(arriving.num_rows))
            cursor.register("arriving", arriving.append_column("place", place))
            cursor.execute(sql(f"create_known_{table}"))
            for first_ns, last_ns in ranges(arriving["time_ns"].to_numpy()):
                times = {"first_ns": first_ns, "last_ns": last_ns}
                cursor.execute(sql(f"find_known_{table}"), times)
            new = number(cursor, sql(f"append_{table}"))
        return Kept(new=new, duplicate=arriving.num_rows - new)


def ranges(times: NDArray[np.int64], ranges_max: int = RANGES_MAX) -> list[tuple[int, int]]:
    """Cover times by few ranges (first, last), inclusive, cut at the widest gaps between them.

    >>> ranges(np.array([5, 900, 7, 901]), 2)
    [(5, 7), (900, 901)]
    """
    ordered = np.unique(times)
    # As floats: the gap between two extreme times is no int64.
    gaps = np.diff(ordered.astype(np.float64))
    cuts = np.sort(np.argsort(gaps, kind="stable")[::-1][: ranges_max - 1]) + 1
    return [(int(part[0]), int(part[-1])) for part in np.split(ordered, cuts) if len(part)]


def _register(
    cursor: duckdb.DuckDBPyConnection, name: str, texts: pa.Array | list[str] | None
) -> None:
    given = pa.array([] if texts is None else texts, _TEXTS)
    cursor.register(name, pa.table({"text": given}))


def _bounds(when: Between) -> dict[str, Any]:
    return {"from_ns": when.from_ns, "until_ns": when.until_ns}
