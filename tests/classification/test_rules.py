"""What rules say of a case."""

import pytest

from graphmind.classification.rules import RulesRoute
from graphmind.classification.rules_file import default_rules, parse
from tests.classification.cases import case


def said(text, own):
    return [
        (guess.label, round(guess.score, 3))
        for guess in RulesRoute(rules=parse(text, "own.yaml")).candidates(own)
    ]


QUOTA = """
- {label: quota, confidence: 0.8, code: ["429", rate_.*], text: ["too many requests"]}
"""


def test_a_code_speaks_by_the_share_of_traces_that_end_with_it():
    assert said(QUOTA, case(codes={"429": 0.25, "RATE_limited": 0.5, "500": 0.25})) == [
        ("quota", 0.6)
    ]


def test_a_code_is_matched_whole_and_a_text_anywhere():
    assert said(QUOTA, case(codes={"4290": 1.0})) == []
    assert said(QUOTA, case("", "said: Too many requests!")) == [("quota", 0.8)]


def test_every_condition_of_a_rule_has_to_hold():
    text = "- {label: hangs, confidence: 0.7, symptom: [hang], cause: [tool]}"

    assert said(text, case(symptom="hang", cause=("agent", "tool"))) == [("hangs", 0.7)]
    assert said(text, case(symptom="hang", cause=("agent",))) == []
    assert said(text, case(symptom="error")) == []


def test_the_strongest_rule_speaks_for_a_class_and_says_where_it_stands():
    text = (
        "- {label: a, confidence: 0.2, symptom: [error]}\n- {label: a, confidence: 0.6, code: [x]}"
    )

    (guess,) = RulesRoute(rules=parse(text, "own.yaml")).candidates(case(codes={"x": 0.5}))

    assert guess.score == 0.3
    assert guess.reason == "code 'x' in 50% (own.yaml:2)"


def test_classes_that_are_equally_likely_stand_by_name():
    rule = "- {label: %s, confidence: 0.5, symptom: [error]}\n"

    assert said(rule % "b" + rule % "a", case()) == [("a", 0.5), ("b", 0.5)]


@pytest.mark.parametrize(
    ("label", "own"),
    [
        ("quota_exhausted", case(codes={"429": 1.0})),
        ("quota_exhausted", case("", "Rate limit reached for requests")),
        ("context_overflow", case("", "This model's maximum context length is # tokens")),
        ("authentication_failed", case(codes={"401": 1.0})),
        ("permission_denied", case(codes={"PERMISSION_DENIED": 1.0}, cause=("service",))),
        ("content_filtered", case(codes={"content_filter": 1.0})),
        ("dns_failed", case("", "[Errno -2] Name or service not known")),
        ("connection_refused", case("", "connect ECONNREFUSED #:#")),
        ("connection_lost", case(codes={"ConnectionResetError": 1.0}, cause=("service",))),
        ("tls_failed", case("", "certificate verify failed")),
        ("out_of_memory", case(codes={"OOMKilled": 1.0})),
        ("output_invalid", case(codes={"JSONDecodeError": 1.0})),
        ("deadline_exceeded", case(codes={"504": 1.0}, cause=("service",))),
        ("service_unavailable", case(codes={"503": 1.0}, cause=("service",))),
        ("kv_key_poisoned", case(codes={"schema_mismatch": 1.0}, cause=("kv_key",))),
        ("writer_poisons", case(symptom="wrong", cause=("written_by_agent",))),
        ("model_hang", case(symptom="hang", cause=("model_version",))),
        ("tool_loop", case(symptom="loop")),
        ("prompt_wrong", case(symptom="wrong", cause=("prompt_version",))),
        ("callback_storm", case(symptom="storm", cause=("endpoint",))),
    ],
)
def test_the_rules_shipped_know_the_usual_signs(label, own):
    assert RulesRoute(rules=default_rules()).candidates(own)[0].label == label


def test_a_case_without_any_sign_gets_no_candidate():
    assert RulesRoute(rules=default_rules()).candidates(case(cause=(), symptom="short")) == ()
