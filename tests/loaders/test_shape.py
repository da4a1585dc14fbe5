import json

import pytest
from graphmind_loaders.shape import key_paths, whole_records
from hypothesis import given
from hypothesis import strategies as st

RECORDS = st.lists(
    st.dictionaries(st.text(), st.text() | st.lists(st.text()) | st.none(), max_size=3), max_size=5
)


@pytest.mark.parametrize(
    ("head", "paths"),
    [
        ('{"a": {"b": [{"c": 1}]}}', {("a",), ("a", "b"), ("a", "b", "c")}),
        ('[[{"a": 1}]]', {("a",)}),
        ('{"a": "{\\"b\\": 1}"}', {("a",)}),
        ('{"a": {"b": "cut', {("a",), ("a", "b")}),
        ('{"a": {"b": "cut\n{"c": 1}', {("a",), ("a", "b")}),
        ('{"a": {"b": 1\n{"c": 1}', {("a",), ("a", "b"), ("c",)}),
        ("no {json} : at all", set()),
        ("}}]]", set()),
    ],
)
def test_keys_are_found_at_their_paths(head, paths):
    assert key_paths(head.encode()) == paths


def test_a_path_goes_no_deeper_than_four_keys():
    head = b'{"a":{"b":{"c":{"d":{"e":1}}}}}'

    assert max(key_paths(head), key=len) == ("a", "b", "c", "d")


@given(st.binary())
def test_any_head_has_a_shape(head):
    key_paths(head)


@given(RECORDS, st.integers(0))
def test_cut_anywhere_the_records_before_the_cut_remain(records, at):
    text = json.dumps({"other": [{}], "spans": records, "last": {}})
    at = min(at, len(text))

    kept = whole_records(text[:at], lambda path: path == ("spans",))

    found = json.loads(kept)["spans"] if kept else []
    assert found == records[: len(found)]
    assert len(json.dumps(found)) >= at - len('{"other": [{}], "spans": ') - _longest(records)


def _longest(records: list) -> int:
    return (
        max((len(json.dumps(record)) for record in records), default=0) + len('], "last": {}}') + 2
    )


def test_text_nested_beyond_reason_has_no_records():
    assert whole_records("[" * 100_000, lambda _: True) is None
