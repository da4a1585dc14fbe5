"""Spans and traces as numbers."""

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphmind.analysis.behaviour.pooling import POOLINGS, pool, pool_all
from graphmind.analysis.behaviour.spans import SPAN_COLUMNS
from tests.analysis.behaviour.traces import looping, read, usual
from tests.builders import span


def column(traces, name):
    ids = traces.span_ids.to_pylist()
    return dict(zip(ids, traces.vectors[:, SPAN_COLUMNS.index(name)].tolist(), strict=True))


def test_a_span_is_depth_duration_error_code_and_children():
    traces = read(
        [
            span("root", 0, 100),
            span("left", 0, 40, parent="root"),
            span("right", 50, 60, parent="root", failed=True, attributes={"error.type": "quota"}),
        ]
    )

    assert column(traces, "depth_level") == {"root": 0, "left": 1, "right": 1}
    assert column(traces, "duration") == pytest.approx(
        {"root": np.log(101), "left": np.log(41), "right": np.log(11)}
    )
    assert column(traces, "has_error") == {"root": 0, "left": 0, "right": 1}
    assert column(traces, "num_children") == {"root": 2, "left": 0, "right": 0}


def test_equal_error_codes_have_equal_hashes_and_no_code_has_none():
    codes = {"a": "quota", "b": "quota", "c": "timeout"}
    failed = [
        span(name, 1, 2, parent="root", failed=True, attributes={"error.type": code})
        for name, code in codes.items()
    ]

    hashes = column(read([span("root", 0, 9), *failed]), "error_code_hash")

    assert hashes["root"] == 0
    assert hashes["a"] == hashes["b"] != hashes["c"]
    assert all(0 < hashes[name] <= 1 for name in codes)


def test_a_span_that_never_ended_lasts_to_the_end_of_its_trace():
    traces = read([span("root", 0, 100), span("open", 10, None, parent="root")])

    assert column(traces, "duration")["open"] == pytest.approx(np.log(91))
    assert traces.clean.tolist() == [False]


def test_pooling_sums_averages_and_takes_the_largest_of_each_trace():
    vectors = np.array([[1.0, -1.0], [3.0, -5.0], [7.0, 0.0]])
    first = np.array([0, 2])

    assert pool(vectors, first, "mean").tolist() == [[2, -3], [7, 0]]
    assert pool(vectors, first, "max").tolist() == [[3, -1], [7, 0]]
    np.testing.assert_allclose(
        pool(vectors, first, "sum"), [[np.log(5), -np.log(7)], [np.log(8), 0]]
    )


@pytest.mark.parametrize("how", POOLINGS)
def test_pooling_nothing_gives_nothing(how):
    assert pool(np.zeros((0, 5)), np.zeros(0, np.int64), how).shape == (0, 5)


@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False))
def test_neither_the_order_of_spans_nor_their_ids_change_the_vectors(random):
    rows = [*usual("one", Random(1)), *looping("two", Random(2))]
    shuffled = random.sample(rows, len(rows))
    names = {row["span_id"] for row in rows} - {None}
    renamed = dict(zip(sorted(names), random.sample(sorted(names), len(names)), strict=True))
    renamed_rows = [
        row
        | {
            "trace_id": f"other-{row['trace_id']}",
            "span_id": renamed[row["span_id"]],
            "parent_span_id": renamed.get(row["parent_span_id"]),
        }
        for row in shuffled
    ]

    before, after = read(rows), read(renamed_rows)

    np.testing.assert_allclose(
        pool_all(after.vectors, after.first), pool_all(before.vectors, before.first)
    )
