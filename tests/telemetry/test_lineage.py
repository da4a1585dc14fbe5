"""Who wrote the value that a trace read."""

from typing import NamedTuple

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from graphmind.telemetry.facts import ACCESSES
from graphmind.telemetry.lineage import ACCESS_ORDER, last_writes
from tests.builders import MS, at, facts, span


class Access(NamedTuple):
    trace: str
    op: str
    at: int
    key: str = "k"


def chain(*accesses: Access) -> set[tuple[Access, Access]]:
    """(read, the write it saw), by ``last_writes``."""
    rows = [
        {"trace_id": a.trace, "key": a.key, "op": a.op, "at_ns": a.at, "agent": "a"}
        for a in accesses
    ]
    table = pa.Table.from_pylist(rows, ACCESSES).sort_by(ACCESS_ORDER)
    seen = [Access(r["trace_id"], r["op"], r["at_ns"], r["key"]) for r in table.to_pylist()]
    reads, writes = last_writes(table)
    return {(seen[r], seen[w]) for r, w in zip(reads.tolist(), writes.tolist(), strict=True)}


def test_a_read_sees_the_last_write_before_it():
    first, last = Access("w", "write", 1), Access("v", "write", 2)
    read, later = Access("r", "read", 3), Access("u", "write", 4)

    assert chain(first, last, read, later) == {(read, last)}


def test_a_write_of_another_key_is_not_seen():
    assert chain(Access("w", "write", 1, "other"), Access("r", "read", 2)) == set()


def test_a_value_that_the_trace_wrote_itself_brings_nobody_in():
    foreign, own = Access("w", "write", 1), Access("r", "write", 2)

    assert chain(foreign, own, Access("r", "read", 3)) == set()


def test_a_read_before_ones_own_write_saw_the_other():
    foreign, read, own = Access("w", "write", 1), Access("r", "read", 2), Access("r", "write", 3)

    assert chain(foreign, read, own) == {(read, foreign)}


def test_at_the_same_instant_a_read_comes_before_a_write():
    earlier, tied, read = Access("w", "write", 1), Access("v", "write", 2), Access("r", "read", 2)

    assert chain(earlier, tied, read) == {(read, earlier)}


def test_of_two_writes_at_the_same_instant_the_later_trace_id_wins():
    one, two, read = Access("a", "write", 1), Access("b", "write", 1), Access("r", "read", 2)

    assert chain(two, one, read) == {(read, two)}


@settings(deadline=None, max_examples=100)
@given(
    st.lists(
        st.builds(
            Access,
            st.sampled_from("abc"),
            st.sampled_from(["read", "write"]),
            st.integers(0, 6),
            st.sampled_from(["k", "l"]),
        ),
        unique=True,
    )
)
def test_the_chain_is_that_of_a_replay_in_order(accesses):
    replayed, state = set(), {}
    for access in sorted(accesses, key=lambda a: (a.at, a.op, a.trace)):
        if access.op == "write":
            state[access.key] = access
        elif access.key in state and state[access.key].trace != access.trace:
            replayed.add((access, state[access.key]))

    assert chain(*accesses) == replayed


def test_a_read_is_at_the_start_of_its_span_and_a_write_at_its_end():
    def access(span_id, op):
        attributes = {"graphmind.kv.key": "k", "graphmind.kv.op": op}
        return span(span_id, 0, 10, attributes=attributes)

    found = facts([access("r", "read"), access("w", "write")]).accesses

    assert {(row["op"], row["at_ns"]) for row in found.to_pylist()} == {
        ("read", at(0)),
        ("write", at(10)),
    }


def test_a_command_that_does_both_reads_before_it_writes():
    row = span("b", 0, 10, attributes={"graphmind.kv.key": "k", "db.operation.name": "GETSET"})

    found = facts([row]).accesses.to_pylist()

    assert [(a["op"], (a["at_ns"] - at(0)) // MS) for a in found] == [("read", 0), ("write", 10)]
