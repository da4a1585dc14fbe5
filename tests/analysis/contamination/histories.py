"""Histories of a few accesses, in rows that name only what matters."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

from graphmind.telemetry.facts import ACCESSES
from graphmind.telemetry.lineage import History, history_of


class Access(NamedTuple):
    trace: str
    op: str
    at: int
    key: str = "k"


def reads(trace: str, at: int, key: str = "k") -> Access:
    return Access(trace, "read", at, key)


def writes(trace: str, at: int, key: str = "k") -> Access:
    return Access(trace, "write", at, key)


RANDOM = st.lists(
    st.builds(
        Access,
        st.sampled_from("abcde"),
        st.sampled_from(["read", "write"]),
        st.integers(0, 9),
        st.sampled_from("klm"),
    ),
    unique=True,
    min_size=1,
    max_size=25,
)


def history(accesses: Iterable[Access]) -> History:
    """Arrange accesses; the agent of a trace is its name in capitals."""
    rows = [
        {"trace_id": a.trace, "key": a.key, "op": a.op, "at_ns": a.at, "agent": a.trace.upper()}
        for a in accesses
    ]
    return history_of(pa.Table.from_pylist(rows, ACCESSES))


def accesses_of(given: History) -> list[Access]:
    """Name the rows of a history."""
    return [
        Access(row["trace_id"], row["op"], row["at_ns"], row["key"])
        for row in given.accesses.to_pylist()
    ]


def rows_of(given: History, wanted: Iterable[Access]) -> np.ndarray:
    """Find the rows of accesses, ascending."""
    chosen = set(wanted)
    return np.flatnonzero([access in chosen for access in accesses_of(given)])
