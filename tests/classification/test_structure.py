from graphmind.classification.structure import failing_rows, span_labels, tokens_in
from tests.builders import assembled, in_trace, span

TREE = [
    span("root", 0, 100, failed=True),
    span("call", 10, 90, parent="root", failed=True, attributes={"gen_ai.tool.name": "search"}),
    span("other", 95, 99, parent="root"),
]


def test_what_only_passes_an_error_on_is_not_where_it_failed():
    spans = assembled(TREE)

    failing = [spans["span_id"][row].as_py() for row in failing_rows(spans, {})]

    assert failing == ["call"]


def test_a_span_that_shows_a_symptom_failed_without_an_error():
    spans = assembled(TREE)

    failing = [
        spans["span_id"][row].as_py() for row in failing_rows(spans, {("t", "other"): "slow"})
    ]

    assert failing == ["call", "other"]


def test_a_label_says_what_a_span_touches_and_how_it_went():
    spans = assembled([*TREE, span("open", 50, None, parent="root")])

    labels = dict(
        zip(spans["span_id"].to_pylist(), span_labels(spans, {("t", "other"): "slow"}), strict=True)
    )

    assert labels == {
        "root": "step error",
        "call": "tool error",
        "other": "step slow",
        "open": "step unended",
    }


def test_tokens_are_the_same_under_other_names_ids_and_times():
    renamed = [
        row
        | {
            "name": f"x{row['name']}",
            "span_id": f"9{row['span_id']}",
            "parent_span_id": row["parent_span_id"] and f"9{row['parent_span_id']}",
        }
        | ({"attributes": {"gen_ai.tool.name": "lookup"}} if "attributes" in row else {})
        for row in in_trace("another", TREE, later_ms=5_000)
    ]

    assert tokens_in(assembled(renamed), {}) == tokens_in(assembled(TREE), {})


def test_many_calls_are_like_more_of_them_and_unlike_one():
    def loop(times):
        calls = [span(f"c{n}", n, n + 1, parent="root") for n in range(times)]
        return tokens_in(assembled([span("root", 0, 100), *calls]), {})

    assert loop(6) == loop(16)
    assert loop(6) != loop(1)


def test_a_token_weighs_the_share_of_traces_that_hold_it():
    spans = assembled([*TREE, span("root", 200, 300, trace="t2")])

    tokens = tokens_in(spans, {})

    assert tokens["tool error"] == 0.5
    assert tokens["step error > tool error"] == 0.5
    assert tokens["step ok"] == 1.0


def test_no_spans_hold_no_tokens():
    assert tokens_in(assembled([]), {}) == {}
