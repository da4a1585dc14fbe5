"""Time is attributed to whoever works."""

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from graphmind.analysis.localisation.exclusive import exclusive_ns
from graphmind.analysis.localisation.period import Period
from tests.analysis.localisation.sketch import MS, Span, period, random_period


def attributed_ms(root: Span) -> list[float]:
    return [ns / MS for ns in exclusive_ns(period([root])).tolist()]


def test_a_synchronous_call_takes_its_time_out_of_the_caller():
    root = Span("a:x", 0, 10, (Span("b:y", 2, 7, (Span("c:z", 3, 4),)),))

    assert attributed_ms(root) == [5, 4, 1]


def test_a_sibling_that_merely_waits_gets_nothing():
    calling, waiting = Span("a:call", 1, 9, (Span("b:y", 1, 9),)), Span("a:wait", 1, 9)

    assert attributed_ms(Span("a:x", 0, 10, (calling, waiting))) == [2, 0, 8, 0]


def test_of_two_equally_deep_spans_the_latest_started_works():
    root = Span("a:x", 0, 10, (Span("b:y", 0, 8), Span("c:z", 3, 6)))

    assert attributed_ms(root) == [2, 5, 3]


def test_a_child_that_outlives_its_parent_keeps_its_time():
    assert attributed_ms(Span("a:x", 0, 4, (Span("b:y", 1, 9),))) == [1, 8]


@given(st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_every_instant_goes_to_the_deepest_and_latest_of_the_active_spans(seed):
    drawn = random_period(seed, traces=2)

    assert exclusive_ns(drawn).tolist() == attributed_by_definition(drawn)


def attributed_by_definition(drawn: Period) -> list[int]:
    total = [0] * len(drawn.trace)
    for trace in range(drawn.traces):
        rows = np.flatnonzero(drawn.trace == trace)
        times = np.unique([drawn.start_ns[rows], drawn.end_ns[rows]])
        for begins, ends in pairwise(times):
            active = [r for r in rows if drawn.start_ns[r] <= begins and drawn.end_ns[r] >= ends]
            if active:
                owner = max(active, key=lambda r: (drawn.depth[r], drawn.start_ns[r], -r))
                total[owner] += int(ends - begins)
    return total
