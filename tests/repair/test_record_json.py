"""Records go to JSON and come back as they were."""

from dataclasses import fields

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphmind.errors import StoreError
from graphmind.repair.model import Call, Impact, Plan, Step
from graphmind.repair.record import Approval, Repair, StepRun
from graphmind.repair.record_json import as_document, from_json, to_json
from tests.repair.repairs import repair

TEXT = st.text(st.characters(codec="utf-8"), max_size=5)
VALUES = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(-1e9, 1e9) | TEXT
JSON = st.dictionaries(TEXT, VALUES | st.lists(VALUES, max_size=2), max_size=2)
COUNTS = st.integers(0, 2**53)
FLOATS = st.floats(0, 1e9)
CALLS = st.builds(Call, action=TEXT, target=TEXT, params=JSON)
STEPS = st.builds(
    Step,
    number=COUNTS,
    connector=TEXT,
    call=CALLS,
    before=JSON,
    undo=st.none() | CALLS,
    summary=TEXT,
    preconditions=st.lists(TEXT, max_size=2).map(tuple),
    undoes_with=TEXT,
)
NAMES = st.lists(TEXT, max_size=2).map(tuple)
IMPACTS = st.builds(
    Impact,
    tasks=NAMES,
    agents=NAMES,
    regions=NAMES,
    traces=COUNTS,
    unfinished=COUNTS,
    snapshots=COUNTS,
    context_lost=NAMES,
    share=FLOATS,
    expected_gain=FLOATS,
)
PLANS = st.builds(
    Plan,
    steps=st.lists(STEPS, max_size=3).map(tuple),
    impact=IMPACTS,
    made_ms=COUNTS,
    expires_ms=COUNTS,
    warnings=NAMES,
)
APPROVALS = st.lists(st.builds(Approval, who=TEXT, at_ms=COUNTS, reason=TEXT), max_size=2)
RUNS = st.lists(
    st.builds(
        StepRun,
        number=COUNTS,
        attempts=COUNTS,
        started_ms=COUNTS,
        ended_ms=st.none() | COUNTS,
        detail=TEXT,
    ),
    max_size=3,
)
REPAIRS = st.builds(
    Repair,
    version=COUNTS,
    requested_ms=COUNTS,
    plan=st.none() | PLANS,
    approvals=APPROVALS.map(tuple),
    steps=RUNS.map(tuple),
    command=JSON,
    verification=JSON,
    started_ms=st.none() | COUNTS,
    executed_ms=st.none() | COUNTS,
    ended_ms=st.none() | COUNTS,
    verdict=TEXT,
    reason=TEXT,
)


@given(REPAIRS)
@settings(max_examples=40)  # a record is large: the fields are few, their values simple
def test_any_record_comes_back_as_it_was(wanted):
    text = to_json(wanted)

    assert from_json(text) == wanted
    assert to_json(from_json(text)) == text
    if wanted.plan is not None:
        came = from_json(text).plan
        assert came is not None
        assert came.plan_hash == wanted.plan.plan_hash


@given(REPAIRS)
@settings(max_examples=40)  # a record is large: the fields are few, their values simple
def test_the_document_for_people_is_the_same_json(wanted):
    assert orjson.loads(orjson.dumps(as_document(wanted))) == orjson.loads(to_json(wanted))


def test_the_document_names_every_field():
    assert set(as_document(repair())) == {field.name for field in fields(Repair)}


@pytest.mark.parametrize("text", ["", "{}", "[]", to_json(repair()).replace('"live"', '"maybe"')])
def test_what_is_no_record_is_refused_with_what_to_do(text):
    with pytest.raises(StoreError, match=r"should hold the record of a repair.*backup"):
        from_json(text)
