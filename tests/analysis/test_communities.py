from hypothesis import given
from hypothesis import strategies as st

from graphmind.analysis.communities import communities

TWO_TRIANGLES = [(0, 1, 1.0), (1, 2, 1.0), (0, 2, 1.0), (3, 4, 1.0), (4, 5, 1.0), (3, 5, 1.0)]
BRIDGE = (2, 3, 0.1)


def test_nodes_with_weight_between_them_are_together():
    assert communities(6, [*TWO_TRIANGLES, BRIDGE]) == [[0, 1, 2], [3, 4, 5]]


def test_a_node_without_edges_is_alone():
    assert communities(3, [(0, 2, 1.0)]) == [[0, 2], [1]]


def test_no_nodes_are_no_groups():
    assert communities(0, []) == []


@given(st.permutations([*TWO_TRIANGLES, BRIDGE, (0, 5, 0.3), (1, 4, 0.2)]))
def test_the_order_of_edges_does_not_matter(edges):
    assert communities(6, edges) == communities(6, sorted(edges))
