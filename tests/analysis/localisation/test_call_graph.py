"""The node at fault, from totals of a call graph."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphmind.analysis.localisation.call_graph import NodeTotals, localise_nodes
from tests.analysis.localisation.oracle import load

CALLEES = {"front": ["cart", "bank"], "cart": ["store"], "bank": ["store"], "store": []}


def totals(requests: float, cost: float, intervals: int = 5) -> NodeTotals:
    return NodeTotals(requests=np.full(intervals, requests), cost=np.full(intervals, cost))


REFERENCE = {
    "front": totals(10, 10),
    "cart": totals(10, 4),
    "bank": totals(10, 4),
    "store": totals(20, 2),
}


def test_the_cost_of_a_callee_is_taken_out_of_its_callers():
    slow_store = {
        "front": totals(10, 30),
        "cart": totals(10, 14),
        "bank": totals(10, 14),
        "store": totals(20, 22),
    }

    ranked = localise_nodes(CALLEES, REFERENCE, slow_store)

    assert [(each.node, each.excess) for each in ranked] == [
        ("store", 20),
        ("bank", 0),
        ("cart", 0),
        ("front", 0),
    ]


def test_more_load_at_the_same_cost_a_request_is_no_fault():
    doubled = {
        node: NodeTotals(requests=2 * each.requests, cost=2 * each.cost)
        for node, each in REFERENCE.items()
    }

    assert {each.score for each in localise_nodes(CALLEES, REFERENCE, doubled)} == {0}


def test_a_node_that_does_not_move_with_the_alarmed_one_counts_less():
    rows = np.arange(40.0)
    reference = {
        "front": NodeTotals(requests=np.ones(40), cost=10 + rows),
        "cart": NodeTotals(requests=np.ones(40), cost=10 + rows),
        "bank": NodeTotals(requests=np.ones(40), cost=10 + 39 * (rows % 2)),
    }
    window = reference | {"cart": totals(1, 90), "bank": totals(1, 90)}

    ranked = localise_nodes({}, reference, window, alarmed="front")

    assert [(each.node, round(each.coupling, 2)) for each in ranked[:2]] == [
        ("cart", 1.0),
        ("bank", 0.16),
    ]


def test_only_nodes_of_both_periods_are_ranked():
    window = {node: each for node, each in REFERENCE.items() if node != "store"}

    assert {each.node for each in localise_nodes(CALLEES, REFERENCE, window)} == window.keys()


@given(st.integers(0, 10_000), st.sampled_from([None, *CALLEES]), st.sampled_from([8, 40]))
@settings(max_examples=30, deadline=None)
def test_scores_are_those_of_the_reference(seed, alarmed, intervals):
    reference = load()
    random = np.random.default_rng(seed)
    before, now = (
        {node: random.gamma(2, 10, (2, intervals)) + 1e-3 for node in CALLEES} for _ in range(2)
    )

    expected, _ = reference.graph_localise(CALLEES, before, now, alarmed)
    ranked = localise_nodes(CALLEES, named(before), named(now), alarmed=alarmed)

    assert {each.node: each.score for each in ranked} == pytest.approx(expected)


def named(drawn: dict[str, np.ndarray]) -> dict[str, NodeTotals]:
    return {node: NodeTotals(requests=rows[0], cost=rows[1]) for node, rows in drawn.items()}
