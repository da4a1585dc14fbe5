from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from graphmind.graph.selection import ALL_BELOW, MINUTE_NS, STRATUM_MIN, choose_kept
from tests.graph.windows import window

SHARE = 0.1


def crowd(count=ALL_BELOW, failing_every=100):
    return [
        {
            "trace_id": f"{i:08x}",
            "task": f"task {i % 7}",
            "start_ns": (i % 900) * MINUTE_NS // 90,
            "outcome": "failed" if i % failing_every == 0 else "ok",
        }
        for i in range(count)
    ]


@pytest.fixture(scope="module")
def large():
    return window(crowd())


def test_a_window_below_the_limit_is_kept_whole():
    kept, weights = choose_kept(window(crowd(500)), SHARE)

    assert kept.all()
    assert weights.tolist() == [1.0] * 500


def test_every_failing_trace_is_kept_with_its_own_weight(large):
    kept, weights = choose_kept(large, SHARE)
    failing = np.array(large.traces["outcome"].to_pylist()) == "failed"

    assert kept[failing].all()
    assert set(weights[failing]) == {1.0}


def test_the_weights_of_the_kept_count_every_stratum_exactly(large):
    kept, weights = choose_kept(large, SHARE)
    tasks = np.array(large.traces["task"].to_pylist())

    assert kept.mean() < SHARE + 0.02
    for task in set(tasks):
        assert weights[kept & (tasks == task)].sum() == pytest.approx((tasks == task).sum())


def test_traces_that_are_not_kept_weigh_nothing(large):
    kept, weights = choose_kept(large, SHARE)

    assert set(weights[~kept]) == {0.0}


def test_a_thin_stratum_keeps_a_few(large):
    thin = [{"trace_id": f"thin{i}", "task": "rare"} for i in range(STRATUM_MIN + 3)]
    kept, weights = choose_kept(window(crowd() + thin), SHARE)

    assert kept[-len(thin) :].sum() == STRATUM_MIN
    assert weights[-len(thin) :].sum() == pytest.approx(len(thin))


def test_the_weight_of_a_sampled_trace_is_multiplied():
    sampled = [trace | {"weight": 20.0} for trace in crowd()]
    kept, weights = choose_kept(window(sampled), SHARE)

    assert weights[kept].sum() == pytest.approx(20.0 * len(sampled))


def test_the_choice_does_not_depend_on_the_order_of_rows(large):
    order = np.random.default_rng(1).permutation(len(large.traces))
    shuffled = replace(large, traces=large.traces.take(pa.array(order)))
    kept, weights = choose_kept(large, SHARE)

    again, weights_again = choose_kept(shuffled, SHARE)

    assert (again == kept[order]).all()
    assert (weights_again == weights[order]).all()


def test_a_trace_that_wrote_what_a_failing_one_read_is_kept():
    names = [f"writer{i}" for i in range(40)]
    writers = [{"trace_id": name} for name in names]
    readers = [{"trace_id": f"reader{i}", "outcome": "wrong"} for i in range(40)]
    accesses = [
        {"trace_id": f"{who}{i}", "key": f"k{i}", "op": op, "at_ns": at}
        for i in range(40)
        for who, op, at in (("writer", "write", 1), ("reader", "read", 2))
    ]
    kept, weights = choose_kept(window(crowd() + writers + readers, accesses), SHARE)

    assert kept[-80:].all()
    assert set(weights[-80:]) == {1.0}


def test_a_trace_that_a_failing_one_continues_is_kept():
    first = [{"trace_id": f"first{i}"} for i in range(40)]
    second = [
        {"trace_id": f"second{i}", "outcome": "failed", "continues": [f"first{i}"]}
        for i in range(40)
    ]
    kept, _ = choose_kept(window(crowd() + first + second), SHARE)

    assert kept[-80:].all()
