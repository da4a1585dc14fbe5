"""All services draw the same lot for a trace, and say how likely it was."""

import numpy as np
import pytest
from graphmind_capture.sampling import (
    lot_of,
    probability_of,
    stated_threshold,
    threshold_of,
    with_threshold,
)
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.trace import TraceState

from graphmind.telemetry.resolve import _threshold_probability

NOTHING = TraceState()


@given(st.floats(min_value=1e-6, max_value=1))
def test_what_is_stated_is_read_back_and_graphmind_reads_the_same(probability):
    state = with_threshold(NOTHING, threshold_of(probability))

    assert stated_threshold(state) == threshold_of(probability)
    assert float(_threshold_probability(state.to_header()) or 0) == pytest.approx(
        probability, abs=1e-9
    )
    assert probability_of(threshold_of(probability)) == pytest.approx(probability, abs=1e-9)


def test_a_share_of_random_traces_is_kept():
    random = np.random.default_rng(1)
    ids = [int.from_bytes(random.bytes(16)) for _ in range(20_000)]
    kept = np.mean([lot_of(trace, NOTHING) >= threshold_of(0.05) for trace in ids])

    assert kept == pytest.approx(0.05, abs=0.006)


def test_a_lot_that_the_trace_state_gives_comes_first():
    assert lot_of(2**56 - 1, TraceState([("ot", "rv:00000000000001;th:8")])) == 1


def test_other_members_and_vendors_stay():
    state = TraceState([("ot", "rv:00000000000001;th:8"), ("other", "1")])

    assert with_threshold(state, threshold_of(0.25)).to_header() == (
        "ot=th:c;rv:00000000000001,other=1"
    )


@given(st.text(alphabet="thrv:;0123456789abcdefgz ", max_size=40))
def test_nonsense_in_the_trace_state_states_nothing_wrong(text):
    state = TraceState([("ot", text)])

    assert 0 <= stated_threshold(state) < 2**56
    assert 0 <= lot_of(5, state) < 2**56
