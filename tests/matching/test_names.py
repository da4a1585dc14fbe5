import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphmind.incidents.incident import Item
from graphmind.matching.names import cause_class, family, plain_code, plain_operation


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("atlas-large-2026-01-15", "atlas-large"),
        ("reply@v7", "reply"),
        ("inference-eu-west-1-3fa21", "inference-eu-west"),
        ("hooks.acorn.example/v2/done", "hooks.acorn.example/done"),
        ("llama3", "llama"),
        ("sql_query", "sql_query"),
        ("decade", "decade"),
        ("42", ""),
    ],
)
def test_a_family_is_the_name_without_versions_numbers_and_ids(name, expected):
    assert family(name) == expected


@given(st.integers(0, 999), st.integers(0, 999), st.uuids())
def test_names_that_differ_in_version_or_id_are_of_one_family(one, other, identity: uuid.UUID):
    assert family(f"reply@v{one}") == family(f"reply@v{other}") == family(f"reply-{identity}")


def test_an_operation_keeps_its_words_and_loses_what_identifies_one_call():
    identity = "123e4567-e89b-12d3-a456-426614174000"

    assert plain_operation("GET /users/7/orders") == "GET /users/#/orders"
    assert plain_operation(f"job {identity} of ab12cd34") == "job # of #"


def test_an_error_code_loses_numbers_but_a_status_stays():
    assert plain_code("503") == "503"
    assert plain_code("timeout after 3012 ms") == "timeout after # ms"


def test_the_class_of_a_cause_is_kind_and_family_of_all_its_items():
    items = (
        Item(kind="tool", name="search@v2"),
        Item(kind="model_version", name="atlas-2026-01"),
    )

    assert cause_class(items) == cause_class(items[::-1]) == "model_version atlas + tool search"
    assert cause_class(()) is None


def test_a_key_is_classed_by_its_namespace_and_a_region_by_its_kind():
    assert cause_class((Item(kind="kv_key", name="profile:acorn:7"),)) == "kv_key profile"
    assert cause_class((Item(kind="region", name="eu-west-1"),)) == "region"
