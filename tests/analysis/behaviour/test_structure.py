"""The structural embedding of span trees."""

from collections import Counter
from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from graphmind.analysis.behaviour.structure import ROUNDS, embed
from tests.analysis.behaviour.traces import looping, read, usual
from tests.builders import in_trace, span


def labels(rows, round_number):
    traces = read(rows)
    return dict(zip(traces.span_ids.to_pylist(), traces.labels[round_number].tolist(), strict=True))


def tree(*, leaf: str):
    return [
        span("root", 0, 9),
        span("middle", 1, 8, parent="root"),
        span("leaf", 2, 3, parent="middle", name=leaf),
    ]


def test_a_change_is_seen_as_many_steps_above_as_there_were_rounds():
    for number in range(ROUNDS):
        one, other = labels(tree(leaf="read"), number), labels(tree(leaf="write"), number)
        changed = {span_id for span_id in one if one[span_id] != other[span_id]}

        assert changed == set(("leaf", "middle", "root")[: number + 1])


def test_children_count_as_often_as_they_occur():
    once = [span("root", 0, 9), span("a", 1, 2, parent="root", name="search")]
    twice = [*once, span("b", 3, 4, parent="root", name="search")]

    assert labels(once, 1)["root"] != labels(twice, 1)["root"]


@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_children_does_not_matter(random):
    names = ["plan", "infer", "search", "search"]
    times = random.sample(range(4), 4)
    children = [
        span(f"c{number}", at, at + 1, parent="root", name=name)
        for number, (name, at) in enumerate(zip(names, times, strict=True))
    ]
    in_order = [
        span(f"c{number}", number, number + 1, parent="root", name=name)
        for number, name in enumerate(names)
    ]

    root = [span("root", 0, 9)]
    for number in range(ROUNDS):
        assert Counter(labels(root + children, number).values()) == Counter(
            labels(root + in_order, number).values()
        )


def test_the_embedding_counts_every_span_once_a_round():
    rows = [*usual("one", Random(1)), *in_trace("two", looping("two", Random(2)), later_ms=9_000)]
    traces = read(rows)
    sizes = np.bincount(traces.trace)

    embedded = embed(traces.labels, traces.trace, traces.count, 64)

    assert embedded.shape == (2, ROUNDS * 64)
    assert embedded.reshape(2, ROUNDS, 64).sum(axis=2).tolist() == [[n] * ROUNDS for n in sizes]


def test_traces_of_the_same_shape_have_the_same_embedding_whatever_their_times():
    rows = [*tree(leaf="read"), *in_trace("later", tree(leaf="read"), later_ms=50)]
    traces = read(rows)

    one, other = embed(traces.labels, traces.trace, traces.count, 128)

    assert one.tolist() == other.tolist()
