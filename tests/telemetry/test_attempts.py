"""Retries and fallbacks that only the tree shows."""

import pytest

from tests.builders import Row, assembled, by_span, span


def attempt(span_id: str, start: float, *, name: str = "call", **fields) -> Row:
    return span(span_id, start, start + 5, parent="root", name=name, **fields)


def model(name: str, answered: str | None = None) -> dict[str, str]:
    return {"gen_ai.request.model": name} | (
        {"gen_ai.response.model": answered} if answered else {}
    )


def retry_counts(*rows: Row) -> dict[str, int | None]:
    return by_span(assembled([span("root", 0, 100), *rows]), "retry_count")


def test_an_attempt_counts_the_failed_ones_before_it():
    counts = retry_counts(
        attempt("c", 30), attempt("a", 10, failed=True), attempt("b", 20, failed=True)
    )

    assert counts == {"root": None, "a": None, "b": 1, "c": 2}


def test_after_a_success_the_count_begins_anew():
    counts = retry_counts(
        attempt("a", 10, failed=True), attempt("b", 20), attempt("c", 30), attempt("d", 40)
    )

    assert counts == {"root": None, "a": None, "b": 1, "c": None, "d": None}


@pytest.mark.parametrize(
    "other",
    [
        {"name": "other"},
        {"attributes": {"graphmind.kv.key": "k2"}},
        {"attributes": {"gen_ai.request.model": "m2"}},
        {"attributes": {"gen_ai.tool.name": "t2"}},
    ],
)
def test_an_attempt_at_something_else_is_no_retry(other):
    assert retry_counts(attempt("a", 10, failed=True), attempt("b", 20, **other))["b"] is None


def test_a_call_of_another_parent_is_no_retry():
    rows = [attempt("a", 10, failed=True), span("b", 20, parent="elsewhere", name="call")]

    assert retry_counts(*rows)["b"] is None


def test_a_stated_count_is_believed():
    stated = attempt("b", 20, attributes={"http.request.resend_count": "7"})

    assert retry_counts(attempt("a", 10, failed=True), stated)["b"] == 7


def fell_back(*rows: Row) -> set[str]:
    spans = by_span(assembled([span("root", 0, 100), *rows]), "fallback")
    return {span_id for span_id, fallback in spans.items() if fallback}


def test_another_model_after_a_failed_call_is_a_fallback():
    failed = attempt("a", 10, failed=True, attributes=model("big"))

    assert fell_back(failed, attempt("b", 20, attributes=model("small"))) == {"b"}


def test_the_same_model_after_a_failed_call_is_none():
    failed = attempt("a", 10, failed=True, attributes=model("big"))

    assert fell_back(failed, attempt("b", 20, attributes=model("big"))) == set()


def test_another_model_after_a_call_that_went_well_is_none():
    first = attempt("a", 10, attributes=model("big"))

    assert fell_back(first, attempt("b", 20, attributes=model("small"))) == set()


@pytest.mark.parametrize(
    ("requested", "answered", "fallback"),
    [
        ("gpt-4o", "gpt-4o-2024-08-06", False),
        ("acme/planner", "planner-v3.1.5", False),
        ("planner-latest", "planner@7", False),
        ("gpt-4o", "gpt-4o-mini", True),
        ("planner", "rule_engine_v2", True),
    ],
)
def test_an_answer_of_another_family_is_a_fallback(requested, answered, fallback):
    usual = attempt("usual", 10, attributes=model(requested, requested))
    answer = attempt("answer", 20, attributes=model(requested, answered))

    assert fell_back(usual, answer) == ({"answer"} if fallback else set())


def test_a_route_to_which_no_model_answers_by_name_is_no_model():
    rows = [attempt("a", 10, attributes=model("fast-route", "gpt-4o-mini"))]

    assert fell_back(*rows) == set()


def test_a_span_that_states_no_fallback_is_believed():
    failed = attempt("a", 10, failed=True, attributes=model("big"))
    stated = attempt("b", 20, attributes=model("small") | {"graphmind.fallback": "false"})

    assert fell_back(failed, stated) == set()
