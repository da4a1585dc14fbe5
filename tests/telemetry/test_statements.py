"""What attributes say of a span in other words: that it failed, which tool, which model."""

import pytest

from tests.builders import STATUS_ERROR, STATUS_OK, STATUS_UNSET, resolved, span


def one(column, attributes, **fields):
    """Resolve a column of one span."""
    return resolved([span("s", attributes=attributes, **fields)])[column][0].as_py()


@pytest.mark.parametrize(
    "attributes",
    [
        {"error": "true"},
        {"error.type": "timeout"},
        {"http.response.status_code": "503"},
        {"otel.status_code": "ERROR"},
        {"status": "failed"},
    ],
)
def test_a_span_that_left_its_status_unset_fails_by_what_it_says(attributes):
    assert one("status", attributes) == STATUS_ERROR


@pytest.mark.parametrize(
    "attributes",
    [{"error": "false"}, {"http.response.status_code": "404"}, {"status": "done"}, {}],
)
def test_a_span_that_does_not_say_it_failed_has_not(attributes):
    assert one("status", attributes) == STATUS_UNSET


def test_a_stated_status_is_believed():
    assert one("status", {"error": "true"}, status=STATUS_OK) == STATUS_OK


def test_a_name_may_hold_only_beside_another_attribute():
    entity = {"traceloop.entity.name": "search"}

    assert one("tool", entity | {"traceloop.span.kind": "tool"}) == "search"
    assert one("tool", entity | {"traceloop.span.kind": "agent"}) is None


def test_the_name_of_a_span_may_be_its_tool():
    kind = {"openinference.span.kind": "TOOL"}

    assert one("tool", kind, name="lookup_order") == "lookup_order"


@pytest.mark.parametrize(
    ("attributes", "version"),
    [
        ({"model.version": "v3"}, "v3"),
        ({"model.version": "v3", "model.name": "atlas"}, "atlas@v3"),
        ({"model.version": "atlas-v3", "model.name": "atlas"}, "atlas-v3"),
    ],
)
def test_a_version_is_joined_to_its_model_where_it_does_not_name_it(attributes, version):
    assert one("model_version", attributes) == version
