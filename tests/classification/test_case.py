from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from graphmind.classification.case import Case, case_from, features_of, in_order, lines_of
from tests.classification.cases import case

NAMES = st.text(max_size=8)
SHARES = st.dictionaries(NAMES, st.floats(0, 1), max_size=4)
CASES = st.builds(
    Case,
    case_id=NAMES,
    symptom=NAMES,
    cause_kinds=st.lists(NAMES, max_size=2).map(tuple),
    codes=SHARES.map(lines_of),
    lines=SHARES.map(lines_of),
    structure=SHARES.map(features_of),
    numbers=SHARES.map(features_of),
    label=NAMES,
)


@given(CASES)
def test_a_case_is_read_as_it_was_written(any_case):
    assert case_from(any_case.document()) == any_case


@given(CASES, NAMES)
def test_a_digest_is_of_what_a_case_says_not_of_its_id(any_case, other):
    assert replace(any_case, case_id=other).digest == any_case.digest


def test_a_digest_tells_labels_and_texts_apart():
    digests = {case("a", "x").digest, case("b", "x").digest, case("a", "y").digest}

    assert len(digests) == 3


def test_cases_have_one_order_however_they_come():
    cases = [case("b", "x"), case("a", "y"), case("a", "x", case_id="inc-2")]

    assert in_order(cases) == in_order(reversed(cases))
    assert [own.label for own in in_order(cases)] == ["a", "a", "b"]


def test_what_else_a_document_holds_is_left_aside():
    assert case_from(case("a").document() | {"by": "ann", "at_ms": 3}) == case("a")
