from hypothesis import given
from hypothesis import strategies as st

from graphmind.analysis.communities import communities, match_groups

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


def test_a_group_is_the_known_one_that_it_overlaps_most():
    known = {"x": {"a", "b", "c"}, "y": {"d", "e"}}

    assert match_groups([{"d", "e", "f"}, {"a", "b"}, {"z"}], known) == ["y", "x", None]


def test_groups_that_overlap_little_are_new():
    assert match_groups([{"a", "b", "c", "d"}], {"x": {"a", "e", "f"}}) == [None]


def test_a_known_group_is_matched_once():
    assert match_groups([{"a", "b"}, {"a", "b", "c"}], {"x": {"a", "b", "c"}}) == [None, "x"]


def test_nothing_known_and_nothing_found_match_nothing():
    assert match_groups([{"a"}], {}) == [None]
    assert match_groups([], {"x": {"a"}}) == []
