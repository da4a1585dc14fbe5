"""How far a bad value comes."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from graphmind.analysis.contamination.spread import CLEAN, spread_from
from tests.analysis.contamination.histories import (
    RANDOM,
    Access,
    accesses_of,
    history,
    reads,
    rows_of,
    writes,
)

BAD = writes("p", 1)


def spread(accesses, *origins, **limits) -> dict[Access, int]:
    """Hops of each access that saw or passed on a bad value."""
    past = history(accesses)
    hops = spread_from(past, rows_of(past, origins), **limits)
    return {a: h for a, h in zip(accesses_of(past), hops.tolist(), strict=True) if h != CLEAN}


def test_a_reader_passes_on_what_it_writes_after():
    early, read, late = writes("q", 2, "e"), reads("q", 3), writes("q", 4, "l")

    assert spread([BAD, early, read, late], BAD) == {BAD: 0, read: 1, late: 1}


def test_what_a_trace_reads_and_writes_in_one_instant_is_passed_on():
    read, write = reads("q", 3), writes("q", 3, "l")

    assert spread([BAD, read, write], BAD)[write] == 1


def test_a_clean_write_ends_it():
    read, clean, later = reads("q", 2), writes("c", 3), reads("r", 4)

    assert spread([BAD, read, clean, later], BAD) == {BAD: 0, read: 1}


def test_a_read_in_the_instant_of_the_clean_write_still_sees_the_bad_value():
    assert reads("q", 3) in spread([BAD, writes("c", 3), reads("q", 3)], BAD)


def test_a_trace_that_reads_what_it_wrote_itself_is_not_reached():
    assert spread([BAD, reads("p", 2), writes("p", 3, "l")], BAD) == {BAD: 0}


def test_of_two_ways_the_shorter_counts():
    steps = [BAD, reads("q", 2), writes("q", 3, "l"), reads("r", 4, "l"), reads("r", 5)]
    after = writes("r", 6, "m")

    found = spread([*steps, after], BAD)

    assert (found[reads("r", 4, "l")], found[reads("r", 5)], found[after]) == (2, 1, 1)


def test_a_circle_of_traces_ends():
    there = [reads("q", 2), writes("q", 3, "l")]
    back = [reads("p", 4, "l"), writes("p", 5), reads("q", 6)]

    assert spread([BAD, *there, *back], BAD)[reads("q", 6)] == 3


def test_readers_beyond_the_hops_wanted_are_clean():
    chain = [BAD, reads("q", 2), writes("q", 3, "l"), reads("r", 4, "l")]

    assert reads("r", 4, "l") not in spread(chain, BAD, hops_max=1)
    assert spread(chain, BAD, hops_max=2)[reads("r", 4, "l")] == 2


def test_without_an_origin_nothing_is_reached():
    assert spread([BAD, reads("q", 2)]) == {}


def replayed(accesses, origins) -> dict[Access, int]:
    """Run all accesses in order over a store whose values know how bad they are."""
    store: dict[str, tuple[str, int | None]] = {}
    carried: dict[str, int] = {}
    found = {}
    for access in sorted(accesses, key=lambda a: (a.at, a.op, a.trace)):
        if access.op == "write":
            hops = 0 if access in origins else carried.get(access.trace)
            store[access.key] = (access.trace, hops)
        else:
            writer, value = store.get(access.key, ("", None))
            hops = None if value is None or writer == access.trace else value + 1
            if hops is not None:
                carried[access.trace] = min(hops, carried.get(access.trace, hops))
        if hops is not None:
            found[access] = hops
    return found


@st.composite
def histories(draw):
    """Accesses, and some of the writes among them as origins."""
    accesses = draw(RANDOM)
    written = [a for a in accesses if a.op == "write"]
    origins = draw(st.lists(st.sampled_from(written), unique=True)) if written else []
    return accesses, origins


@settings(deadline=None, max_examples=300)
@given(histories())
def test_the_spread_is_that_of_a_replay(drawn):
    accesses, origins = drawn

    assert spread(accesses, *origins) == replayed(accesses, set(origins))


@settings(deadline=None, max_examples=100)
@given(histories(), st.integers(0, 9))
def test_what_comes_later_changes_nothing_before(drawn, now):
    accesses, origins = drawn
    whole = spread(accesses, *origins)

    known = spread([a for a in accesses if a.at <= now], *(o for o in origins if o.at <= now))

    assert known == {access: hops for access, hops in whole.items() if access.at <= now}


@settings(deadline=None, max_examples=100)
@given(histories(), st.permutations("abcde"), st.permutations("klm"), st.randoms())
def test_other_names_and_another_order_change_nothing(drawn, traces, keys, random):
    # Two traces that write a key in one instant are told apart by their names alone.
    drawn_accesses, origins = drawn
    moments = {(a.key, a.at, a.op): a for a in drawn_accesses}
    accesses = list(moments.values())
    origins = [o for o in origins if o in accesses]
    trace_of, key_of = dict(zip("abcde", traces, strict=True)), dict(zip("klm", keys, strict=True))

    def renamed(access):
        return access._replace(trace=trace_of[access.trace], key=key_of[access.key])

    shuffled = [renamed(access) for access in accesses]
    random.shuffle(shuffled)

    found = spread(shuffled, *map(renamed, origins))

    assert found == {renamed(a): hops for a, hops in spread(accesses, *origins).items()}


def test_a_long_chain_is_followed_to_its_end():
    chain = [BAD]
    for n in range(2000):
        chain += [reads(f"t{n:04}", 2 * n + 2), writes(f"t{n:04}", 2 * n + 3)]

    assert max(spread(chain, BAD).values()) == 2000
    assert np.isin(list(spread(chain, BAD, hops_max=5).values()), range(6)).all()
