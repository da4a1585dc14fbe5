from dataclasses import replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphmind.verification.exposure import Exposure, Past, exposure_of
from graphmind.verification.words import BYSTANDER, EXPOSED, RECIPIENT


def past(cell, n, *, target=0, destination=0):
    return [Past(cell=cell, target=k < target, destination=k >= n - destination) for k in range(n)]


@pytest.mark.parametrize(
    ("target", "destination", "group"),
    [
        (50, 0, EXPOSED),
        (50, 50, EXPOSED),
        (49, 0, None),
        (5, 90, None),
        (4, 5, RECIPIENT),
        (4, 4, BYSTANDER),
        (0, 0, BYSTANDER),
    ],
)
def test_a_cell_belongs_where_its_requests_went_before(target, destination, group):
    cell = ("chat", "eu", "planner")

    found = exposure_of(
        [
            *past(cell, 100, target=target, destination=destination),
            *past(("mail", "eu", "planner"), 100, target=100),
        ]
    )

    assert found.group_of(cell) == group


def test_what_half_of_a_cell_touches_exposes_it_where_none_touches_it_more():
    found = exposure_of(
        [
            *past(("draft",), 100, target=52),
            *past(("audit",), 100, target=47),
            *past(("answer",), 100, target=25),
            *past(("refresh",), 100, target=4),
        ]
    )

    groups = [found.group_of((task,)) for task in ("draft", "audit", "answer", "refresh")]
    assert groups == [EXPOSED, EXPOSED, None, BYSTANDER]
    assert exposure_of(past(("draft",), 100, target=4)).group_of(("draft",)) == BYSTANDER


def test_a_thin_cell_is_judged_with_the_wider_one():
    found = exposure_of(
        [
            *past(("chat", "eu", "planner"), 100, target=100),
            *past(("chat", "eu", "writer"), 19),
            *past(("mail", "eu", "writer"), 20),
        ]
    )

    assert found.group_of(("chat", "eu", "writer")) == EXPOSED
    assert found.group_of(("chat", "us", "planner")) == EXPOSED
    assert found.group_of(("mail", "eu", "writer")) == BYSTANDER
    assert found.group_of(("new", "eu", "writer")) is None


def test_a_cell_with_no_wider_one_needs_few_requests():
    found = exposure_of([*past(("chat", "eu"), 5, target=5), *past(("mail", "eu"), 4)])

    assert found.group_of(("chat", "eu")) == EXPOSED
    assert found.group_of(("mail", "eu")) is None


def test_mixed_cells_stand_beside_where_it_is_said():
    told = [*past(("chat",), 100, target=80), *past(("mail",), 50, target=19)]
    found = exposure_of(told)
    beside = replace(found, mixed_beside=True)

    assert (found.group_of(("mail",)), beside.group_of(("mail",))) == (None, BYSTANDER)
    assert (found.size(BYSTANDER), beside.size(BYSTANDER)) == (0, 50)
    assert found.size(EXPOSED) == beside.size(EXPOSED) == 100
    assert Exposure.of(orjson.loads(orjson.dumps(beside.document()))) == beside


cells = st.tuples(st.sampled_from("ab"), st.sampled_from("xy"))
histories = st.lists(st.builds(Past, cell=cells, target=st.booleans(), destination=st.booleans()))


@given(histories.flatmap(lambda h: st.tuples(st.just(h), st.permutations(h))))
def test_the_order_of_the_past_is_of_no_consequence(both):
    told, shuffled = both

    assert exposure_of(told) == exposure_of(shuffled)


@given(histories)
def test_an_exposure_survives_json(told):
    found = exposure_of(told)

    assert Exposure.of(orjson.loads(orjson.dumps(found.document()))) == found
