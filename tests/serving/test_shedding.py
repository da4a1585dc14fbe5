import random

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphmind.archive.port import Selection
from graphmind.serving.shedding import draw
from tests.serving.streams import Live
from tests.serving.test_settling import request, sent


def names(ids: pa.Array) -> list[str]:
    found: list[str] = ids.to_pylist()
    return found


@given(
    suspects=st.integers(0, 40),
    others=st.integers(0, 40),
    room=st.integers(2, 50),
    seed=st.integers(0, 5),
)
def test_what_is_drawn_stands_for_all_that_was_due(suspects, others, room, seed):
    due = pa.array([*(f"s{n}" for n in range(suspects)), *(f"o{n}" for n in range(others))])
    due = due.cast(pa.string())
    lot = draw(due, due[:suspects], room=room, chance=random.Random(seed))

    assert sorted(names(lot.settled) + names(lot.passed_over)) == sorted(names(due))
    assert len(lot.settled) == min(room, len(due))
    for first, count in (("s", suspects), ("o", others)):
        weights = [lot.weights[one] for one in names(lot.settled) if one[0] == first]
        assert sum(weights) == pytest.approx(count if weights else 0)
        assert bool(weights) == bool(count)


def test_suspects_take_half_of_the_room_and_what_the_others_leave():
    due = pa.array([*(f"s{n}" for n in range(80)), *(f"o{n}" for n in range(20))])
    chance = random.Random(1)

    few = draw(due, due[:80], room=10, chance=chance)
    most = draw(due, due[:80], room=90, chance=chance)

    assert sum(one[0] == "s" for one in names(few.settled)) == 5
    assert sum(one[0] == "s" for one in names(most.settled)) == 70


def test_far_more_than_one_run_takes_is_settled_by_lot():
    live = Live(traces_max=10, backlog_max=20)
    live.clock.ns += int(1e9)
    failing = {"status": {"code": 2}}
    for trace in range(1, 41):
        live.arrive(request(sent(trace, 1, 0, 1, **(failing if trace % 10 == 0 else {}))))
    live.clock.ns += int(2e9)

    done = live.settle()
    traces = live.archive.facts(Selection()).traces

    assert (done.facts.traces.num_rows, done.passed_over, done.waiting) == (10, 30, True)
    assert pc.sum(traces["weight"]).as_py() == pytest.approx(40)
    assert sorted(traces["outcome"].to_pylist()).count("failed") == 4
    assert live.settle().facts.traces.num_rows == 0
