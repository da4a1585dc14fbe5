"""Who wrote the value that a trace read."""

from collections.abc import Iterable
from typing import NamedTuple

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from graphmind.telemetry.facts import ACCESSES
from graphmind.telemetry.lineage import ACCESS_ORDER, ancestry_of, history_of, last_writes
from tests.builders import MS, at, facts, span


class Access(NamedTuple):
    trace: str
    op: str
    at: int
    key: str = "k"


def table_of(accesses: Iterable[Access]) -> pa.Table:
    """ACCESSES, in the order given."""
    rows = [
        {"trace_id": a.trace, "key": a.key, "op": a.op, "at_ns": a.at, "agent": "a"}
        for a in accesses
    ]
    return pa.Table.from_pylist(rows, ACCESSES)


def chain(*accesses: Access) -> set[tuple[Access, Access]]:
    """(read, the write it saw), by ``last_writes``."""
    table = table_of(accesses).sort_by(ACCESS_ORDER)
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


HISTORIES = st.lists(
    st.builds(
        Access,
        st.sampled_from("abcd"),
        st.sampled_from(["read", "write"]),
        st.integers(0, 6),
        st.sampled_from(["k", "l"]),
    ),
    unique=True,
)


@settings(deadline=None, max_examples=100)
@given(HISTORIES)
def test_the_chain_is_that_of_a_replay_in_order(accesses):
    replayed, state = set(), {}
    for access in sorted(accesses, key=lambda a: (a.at, a.op, a.trace)):
        if access.op == "write":
            state[access.key] = access
        elif access.key in state and state[access.key].trace != access.trace:
            replayed.add((access, state[access.key]))

    assert chain(*accesses) == replayed


def ancestors(*accesses: Access, **limits: int) -> dict[tuple[str, Access], tuple[int, int]]:
    """(trace, write it descends from) -> hops, time of the first read that brought it in."""
    history = history_of(table_of(accesses))
    seen = [
        Access(r["trace_id"], r["op"], r["at_ns"], r["key"]) for r in history.accesses.to_pylist()
    ]
    found = ancestry_of(history, **limits)
    reads = [seen[row] for row in history.reads[found.read]]
    return {
        (read.trace, seen[write]): (hops, read.at)
        for read, write, hops in zip(reads, found.write, found.hops, strict=True)
    }


FIRST, PASSED_ON = Access("p", "write", 1, "k"), Access("q", "write", 4, "l")
RELAY = (FIRST, Access("q", "read", 3, "k"), PASSED_ON, Access("r", "read", 5, "l"))


def test_a_writer_passes_on_what_it_had_read():
    assert ancestors(*RELAY) == {
        ("q", FIRST): (1, 3),
        ("r", PASSED_ON): (1, 5),
        ("r", FIRST): (2, 5),
    }


def test_what_a_writer_reads_later_it_does_not_pass_on():
    late = Access("q", "read", 5, "k")

    assert ("r", FIRST) not in ancestors(FIRST, late, PASSED_ON, Access("r", "read", 6, "l"))


def test_what_is_read_in_the_instant_of_the_write_is_passed_on():
    at_once = Access("q", "read", 4, "k")

    assert ancestors(FIRST, at_once, PASSED_ON, RELAY[-1])["r", FIRST] == (2, 5)


def test_a_trace_does_not_descend_from_itself():
    back = Access("p", "read", 6, "l")

    assert ("p", FIRST) not in ancestors(*RELAY, back)
    assert ancestors(*RELAY, back)["p", PASSED_ON] == (1, 6)


def test_of_two_ways_the_shorter_counts_and_of_two_reads_the_first():
    direct = Access("r", "read", 9, "k")

    assert ancestors(*RELAY, direct)["r", FIRST] == (1, 5)


def test_chains_are_followed_to_the_hops_wanted():
    relayed = [FIRST]
    for hop, (trace, key) in enumerate([("q", "l"), ("r", "m"), ("s", "n")]):
        relayed.append(Access(trace, "read", 2 * hop + 2, relayed[-1].key))
        relayed.append(Access(trace, "write", 2 * hop + 3, key))
    last = Access("t", "read", 9, "n")

    assert ("t", FIRST) not in ancestors(*relayed, last)
    assert ancestors(*relayed, last, hops_max=4)["t", FIRST] == (4, 9)


def test_with_too_many_pairs_only_direct_reads_are_told():
    assert set(ancestors(*RELAY, pairs_max=2)) == {("q", FIRST), ("r", PASSED_ON)}


@settings(deadline=None, max_examples=200)
@given(HISTORIES, st.integers(1, 4))
def test_descent_is_that_of_a_walk_over_all_ways(accesses, hops_max):
    saw = dict(chain(*accesses))
    found: dict[tuple[str, Access], tuple[int, int]] = {}

    def walk(trace, read, first, hops):
        write = saw[read]
        if write.trace != trace:
            known = found.get((trace, write), (hops, first.at))
            found[trace, write] = (min(hops, known[0]), min(first.at, known[1]))
        if hops < hops_max:
            for earlier in saw:
                if earlier.trace == write.trace and earlier.at <= write.at:
                    walk(trace, earlier, first, hops + 1)

    for read in saw:
        walk(read.trace, read, read, 1)

    assert ancestors(*accesses, hops_max=hops_max) == found


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
