import numpy as np
import pyarrow as pa

from graphmind.matching.signatures import (
    keywords,
    log_signature,
    metric_signature,
    metric_words,
    shared_metrics,
)
from graphmind.telemetry.facts import TRACES

SECOND_NS = 1_000_000_000


def traces(*seconds, errors=0):
    rows = [
        {"duration_ns": int(s * SECOND_NS), "span_count": 20, "error_span_count": errors}
        for s in seconds
    ]
    return pa.Table.from_pylist(rows, schema=TRACES)


def signature(failing, healthy, *, retries=(), storms=0.0):
    return metric_signature(failing, healthy, np.array(retries, float), storms)


def test_a_duration_stands_out_against_healthy_traces_of_the_same_cause():
    assert signature(traces(8, 9, 8), traces(1, 1)) == {"duration": 3}
    assert signature(traces(0.2), traces(1)) == {"duration": -2}
    assert signature(traces(1.5), traces(1)) == {}


def test_without_healthy_traces_only_a_hang_stands_out():
    assert signature(traces(4), traces()) == {}
    assert signature(traces(20), traces()) == {"duration": 3}


def test_errors_retries_and_callbacks_stand_out_by_themselves():
    found = signature(traces(1, errors=5), traces(1), retries=[4, 3, 4], storms=1.0)

    assert found == {"callback failures": 0, "error share": -2, "retries": 2}
    assert metric_words(found) == ("callback failures 1", "error share 0.25", "retries 4")


def test_metrics_are_shared_if_they_stand_out_by_about_as_much():
    one = {"duration": 3, "retries": 2, "error share": -2}
    other = {"duration": 2, "retries": 4}

    assert shared_metrics(one, other) == shared_metrics(other, one) == ("duration",)


def test_keywords_are_stems_without_numbers_ids_and_words_that_say_nothing():
    assert keywords("InferenceRPC failed: deadline exceeded after 3012 ms") == {
        *("inferenc", "rpc", "deadlin", "exceed", "after")
    }
    assert keywords("tool_unavailable") == {"tool", "unavail"}
    assert keywords("error 500") == set()


def test_a_log_signature_holds_what_a_fifth_of_the_traces_say():
    said = [["pool exhausted"]] * 4 + [["pool drained", "pool drained"]]

    assert log_signature(said) == ("pool", "exhaust", "drain")
    assert log_signature([*said, []]) == ("pool", "exhaust")
    assert log_signature([]) == ()
