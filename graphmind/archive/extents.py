"""Where the spans of each trace lie in time: known of each trace, looked up by each append.

An append looks for the traces that arrive among those known. Most are new, or live; all others
have left the table that it looks through, and are told by the hash of their id alone. Looking
through all of them made an append of 20,000 spans twice as dear after 12 million (measured).
"""

from dataclasses import dataclass
from typing import Final

import duckdb
import numpy as np
from numpy.typing import NDArray

from graphmind.archive.database import number, sql

QUIET_MS: Final = 60_000
"""A settled trace stays among the live ones so long after its last span (chosen)."""
LEAVE_EVERY: Final = 64
"""Appends from one time that traces leave to the next (chosen: half a minute under full load)."""
FOREVER_MS: Final = 2**62

Hashes = NDArray[np.uint64]


@dataclass(frozen=True, kw_only=True)
class Visit:
    """What is known of the traces of an append."""

    first_ns: int | None
    last_ns: int | None
    """When the spans of all of them start, those that arrive and those stored."""
    past: bool
    """Whether one of them may have left."""

    @property
    def times(self) -> dict[str, int | None]:
        """Constants that let a scan of spans skip the rest."""
        return {"first_ns": self.first_ns, "last_ns": self.last_ns}


class Extents:
    """The writing side of the table ``extents``; used inside transactions, by one at a time."""

    def __init__(self) -> None:
        self._past: Hashes = np.empty(0, np.uint64)

    def read(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Read which traces have left: at the start, and after some were pruned."""
        self._past = np.sort(_hashes(cursor, "past_hashes"))

    def revisit(self, cursor: duckdb.DuckDBPyConnection) -> Visit:
        """Note in ``revisited`` which of the traces ``touched`` are known."""
        cursor.execute(sql("revisit"))
        past = self._any_past(_hashes(cursor, "touched_hashes"))
        if past:
            cursor.execute(sql("revisit_past"))
        first_ns, last_ns = cursor.execute(sql("touched_between")).fetchall()[0]
        return Visit(first_ns=first_ns, last_ns=last_ns, past=past)

    def renew(
        self, cursor: duckdb.DuckDBPyConnection, visit: Visit, *, load: int, at_ms: int
    ) -> int:
        """Work out the extents of the traces ``gained`` anew, unsettled; return how many."""
        cursor.execute(sql("forget_extents", table="live_extents"))
        if visit.past:
            cursor.execute(sql("forget_extents", table="past_extents"))
        return number(cursor, sql("append_extents"), {**visit.times, "load": load, "at_ms": at_ms})

    def table(self, cursor: duckdb.DuckDBPyConnection, *, every: bool) -> str:
        """Return the smallest table that holds all traces ``wanted``, or every trace."""
        is_past = every or self._any_past(_hashes(cursor, "wanted_hashes"))
        return "extents" if is_past else "live_extents"

    def leave(self, cursor: duckdb.DuckDBPyConnection, *, quiet_since_ms: int = FOREVER_MS) -> None:
        """Let settled traces go that have gained nothing since."""
        if not number(cursor, sql("leave"), {"quiet_since_ms": quiet_since_ms}):
            return
        # Noted before the commit: a hash too many costs a look, one too few would lose a trace.
        leaving = np.sort(_hashes(cursor, "leaving_hashes"))
        self._past = np.insert(self._past, np.searchsorted(self._past, leaving), leaving)
        cursor.execute(sql("append_past"))
        cursor.execute(sql("forget_left"))

    def _any_past(self, hashes: Hashes) -> bool:
        places = np.searchsorted(self._past, hashes)
        inside = places < len(self._past)
        return bool((self._past[places[inside]] == hashes[inside]).any())


def _hashes(cursor: duckdb.DuckDBPyConnection, statement: str) -> Hashes:
    found: Hashes = cursor.execute(sql(statement)).fetchnumpy()["hash(trace_id)"]
    return found
