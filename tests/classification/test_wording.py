import numpy as np
import pytest

from graphmind.classification.wording import LINES_MAX, lines_in, masked, words_of
from tests.builders import assembled, span


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("HTTP 429 after 31000 ms", "HTTP 429 after # ms"),
        ("order 4f2a99bc-1111-2222-3333-444455556666 lost", "order # lost"),
        ("took 3.75 s\nTraceback: ...", "took # s"),
        ("code 503.", "code 503."),
        ("  \n later", "later"),
        ("", ""),
        ("plain words", "plain words"),
    ],
)
def test_a_line_keeps_status_codes_and_loses_ids_and_other_numbers(text, line):
    assert masked(text) == line


def test_names_are_split_at_humps_and_signs_and_paired():
    assert words_of(["InferenceRPC rate_limit 429"]) == [
        *("inference", "rpc", "rate", "limit", "429"),
        *("inference rpc", "rpc rate", "rate limit", "limit 429"),
    ]


def test_pairs_do_not_reach_over_the_end_of_a_line():
    assert "limit out" not in words_of(["rate limit", "out of memory"])


def test_the_share_of_a_line_is_of_all_traces_whatever_its_spans():
    spans = assembled(
        [
            span("a", trace="t1", failed=True, status_message="no such host"),
            span("b", trace="t1", failed=True, status_message="no such host"),
            span("a", trace="t2"),
        ]
    )
    failing = np.flatnonzero(spans["status"].to_numpy() == 2)

    assert lines_in(spans, failing)["no such host"] == 0.5


def test_the_lines_of_most_traces_are_kept():
    rows = [
        span(
            "s",
            trace=f"t{n}",
            failed=True,
            status_message=f"only {chr(97 + n % 26)}{chr(97 + n // 26)}",
        )
        for n in range(LINES_MAX + 5)
    ]
    spans = assembled(rows)

    lines = lines_in(spans, np.arange(spans.num_rows))

    assert len(lines) == LINES_MAX
    assert lines["s"] == 1.0


def test_no_spans_say_nothing():
    assert lines_in(assembled([]), np.array([], np.int64)) == {}
