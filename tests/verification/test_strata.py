import orjson
from hypothesis import given
from hypothesis import strategies as st

from graphmind.verification.strata import Strata, strata_of
from graphmind.verification.words import BYSTANDER, EXPOSED, GROUPS


def requests(cell, group, n):
    return [(cell, group)] * n


def test_strata_go_by_a_part_in_which_exposed_requests_have_bystanders():
    """The task alone uses the target, so only the region tells exposed ones with a control."""
    found = strata_of(
        [
            *requests(("chat", "eu"), EXPOSED, 60),
            *requests(("chat", "us"), EXPOSED, 40),
            *requests(("mail", "eu"), BYSTANDER, 50),
            *requests(("mail", "us"), BYSTANDER, 50),
        ]
    )

    assert found == Strata(part=1, values=("eu", "us"))
    assert [found.of_cell(c) for c in (("chat", "eu"), ("x", "us"), ("x", "ap"), ("x",))] == [
        *(0, 1, 2, 2)
    ]


def test_what_is_left_over_has_a_control_too():
    """Of the small values only bystanders of eu could be the control, so eu is left to the rest."""
    found = strata_of(
        [
            *requests(("eu",), EXPOSED, 60),
            *requests(("eu",), BYSTANDER, 60),
            *requests(("us",), EXPOSED, 40),
        ]
    )

    assert found.count == 1


def test_nothing_seen_is_one_stratum():
    assert strata_of([]).count == 1


cells = st.tuples(st.sampled_from("abc"), st.sampled_from("xy"))


@given(st.lists(st.tuples(cells, st.sampled_from(GROUPS))))
def test_the_strata_do_not_hang_on_the_order_and_survive_json(told):
    found = strata_of(told)

    assert strata_of(reversed(told)) == found
    assert Strata.of(orjson.loads(orjson.dumps(found.document()))) == found
    assert all(0 <= found.of_cell(cell) < found.count for cell, _ in told)
