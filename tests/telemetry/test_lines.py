"""Log records as lines."""

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphmind.telemetry.lines import BODY_CHARS_MAX, complete_codes, digests, lines, sift_logs
from graphmind.telemetry.logs import LINES, SEVERITY_ERROR, SEVERITY_WARN
from graphmind.telemetry.rejections import Rejections
from graphmind.telemetry.resolver_table import default_table, parse
from tests.builders import at, by_span, resolved, span
from tests.telemetry.records import log, logs_from_rows

TRACE, SPAN = "ab" * 16, "cd" * 8
texts = st.one_of(st.none(), st.text(max_size=30), st.sampled_from(["{", '{"a":1}', "[", "\x00"]))
names = st.one_of(
    st.text(max_size=8), st.sampled_from(["agent", "error.type", "level", "trace_id"])
)
records = st.fixed_dictionaries(
    {"time_ns": st.integers(0, 2**62)},
    optional={
        "severity": st.integers(-128, 127),
        "body": texts,
        "event_name": texts,
        "trace_id": texts,
        "span_id": texts,
        "scope": texts,
        "resource": st.dictionaries(names, st.text(max_size=8), max_size=3),
        "attributes": st.dictionaries(names, texts, max_size=4),
    },
)


def line(record: dict[str, Any]) -> dict[str, Any]:
    """The line of one record, without what is null."""
    row = lines(logs_from_rows([record])).to_pylist()[0]
    return {name: value for name, value in row.items() if value is not None}


@given(st.lists(records, max_size=6))
def test_whatever_a_record_says_it_is_one_line(drawn):
    batch = logs_from_rows(drawn)
    made = lines(batch)

    assert made.schema.equals(LINES)
    assert made["time_ns"].equals(batch["time_ns"])
    assert made["line_id"].null_count == 0
    assert all(0 <= severity <= 24 for severity in made["severity"].to_pylist())


@given(st.lists(records, min_size=1, max_size=6), st.data())
def test_the_same_record_has_one_digest_however_it_is_batched(drawn, data):
    row = data.draw(st.sampled_from(drawn))
    shuffled = {**row, "attributes": dict(reversed((row.get("attributes") or {}).items()))}

    assert digests(logs_from_rows([shuffled]))[0] in digests(logs_from_rows(drawn))
    assert digests(logs_from_rows(drawn).slice(1)).equals(digests(logs_from_rows(drawn))[1:])


@given(records, records)
def test_records_that_differ_have_two_digests(one, other):
    def said(record: dict[str, Any]) -> tuple[Any, ...]:
        maps = (tuple(sorted((record.get(name) or {}).items(), key=str)) for name in MAPS)
        rest = ("time_ns", "severity", "body", "event_name", "trace_id", "span_id", "scope")
        return (*maps, *(record.get(name) for name in rest))

    same = digests(logs_from_rows([one])).equals(digests(logs_from_rows([other])))
    control = "\\x"  # as repr writes what texts are joined by
    if said(one) != said(other) and control not in repr(said(one)) + repr(said(other)):
        assert not same


MAPS = ("resource", "attributes")


def test_attributes_become_columns_by_the_table_of_spans():
    found = line(
        log(
            5,
            "slow answer",
            severity=13,
            trace_id=TRACE,
            span_id=SPAN,
            resource={"service.name": "shop", "cloud.region": "eu"},
            attributes={
                "gen_ai.agent.name": "planner",
                "code.function.name": "pay",
                "graphmind.task.id": "job-1",
                "error.type": "timeout",
                "fallback_applied": "true",
            },
        )
    )

    assert found | {"line_id": ""} == {
        "line_id": "",
        "time_ns": at(5),
        "severity": 13,
        "trace_id": TRACE,
        "span_id": SPAN,
        "service": "shop",
        "agent": "planner",
        "module": "pay",
        "region": "eu",
        "task_id": "job-1",
        "error_code": "timeout",
        "fallback": True,
        "body": "slow answer",
    }


def test_loki_writes_the_names_without_dots():
    labels = {"service_name": "shop", "gen_ai_agent_name": "planner", "cloud_region": "eu"}
    found = line(log(resource=labels))

    assert (found["service"], found["agent"], found["region"]) == ("shop", "planner", "eu")


def test_names_of_a_user_come_first():
    own = parse("agent: [worker.label]", "own")
    table = {**default_table(), "agent": own["agent"] + default_table()["agent"]}
    batch = logs_from_rows([log(attributes={"worker_label": "w", "agent.name": "a"})])

    assert lines(batch, table)["agent"].to_pylist() == ["w"]


def test_a_body_that_is_json_is_read_where_no_attribute_speaks():
    body = f'{{"level":"warning","trace_id":"{TRACE.upper()}","agent":"a","error":{{"code":"E7"}}}}'
    found = line(log(0, body, attributes={"agent": "b"}))

    assert found["severity"] == SEVERITY_WARN
    assert (found["trace_id"], found["agent"], found["error_code"]) == (TRACE, "b", "E7")


def test_of_a_body_that_is_json_the_message_is_the_line():
    assert line(log(0, '{"msg":"no seat","n":1}'))["body"] == "no seat"
    assert line(log(0, '{"n":1}'))["body"] == '{"n":1}'
    assert line(log(0, "said", attributes={"message": "other"}))["body"] == "said"


def test_a_trace_id_in_the_text_is_found():
    found = line(log(0, f"failed trace_id={TRACE} span_id={SPAN} badly"))

    assert (found["trace_id"], found["span_id"]) == (TRACE, SPAN)


@pytest.mark.parametrize("garbage", ["0" * 32, "", "none", "ab" * 15, "zz" * 16, "a" * 4000])
def test_a_garbage_id_joins_nothing(garbage):
    assert "trace_id" not in line(log(attributes={"trace_id": garbage}))


@pytest.mark.parametrize(
    ("number", "word", "severity"),
    [(17, "debug", 17), (0, "ERROR", 17), (None, "Warning", 13), (99, "fatal", 21), (0, "?", 0)],
)
def test_severity_is_the_number_else_the_word(number, word, severity):
    assert line(log(severity=number, attributes={"level": word}))["severity"] == severity


def test_an_exception_that_is_a_log_record_says_type_and_message():
    raised = {"exception.type": "ValueError", "exception.message": "no such key"}
    found = line(log(0, None, event_name="exception", attributes=raised))

    assert found["exception_type"] == "ValueError"
    assert found["error_code"] == "ValueError"
    assert found["body"] == "ValueError: no such key"


def test_a_traceback_in_the_text_names_the_exception():
    body = 'Traceback (most recent call last):\n  File "a.py"\nredis.exceptions.TimeoutError: 5 s'

    assert line(log(0, body, severity=17))["exception_type"] == "redis.exceptions.TimeoutError"
    assert "exception_type" not in line(log(0, body, severity=9))


def test_a_long_body_is_cut_and_yet_told_from_another():
    one, other = "x" * 5000 + "1", "x" * 5000 + "2"
    made = lines(logs_from_rows([log(0, one), log(0, other)])).to_pylist()

    assert [len(row["body"]) for row in made] == [BODY_CHARS_MAX, BODY_CHARS_MAX]
    assert made[0]["line_id"] != made[1]["line_id"]


def test_records_without_a_possible_time_are_counted():
    rejected = Rejections()
    rows = [log(None, "when?"), {**log(), "time_ns": -1}, log(10_000), log(1)]
    kept = sift_logs(logs_from_rows(rows), rejected, now_ns=at(0), future_s=5)

    assert kept.num_rows == 1
    assert {row["reason"]: row["samples"] for row in rejected.rows()} == {
        "log record without a time": ["when?"],
        "log record before 1970": ["it happened"],
        "log record in the future": ["it happened"],
    }


def test_a_failed_span_without_a_code_takes_that_of_its_log():
    spans = resolved(
        [
            span("silent", failed=True),
            span("told", failed=True, attributes={"error.type": "timeout"}),
            span("well"),
            span("alone", failed=True),
        ]
    )
    logged = pa.table(
        lines(
            logs_from_rows(
                log(
                    time_ms,
                    trace_id="t",
                    span_id=span_id,
                    severity=SEVERITY_ERROR,
                    attributes={"exception.type": code},
                )
                for time_ms, span_id, code in (
                    (9, "silent", "KeyError"),
                    (1, "silent", "OSError"),
                    (2, "told", "OSError"),
                    (3, "well", "OSError"),
                )
            )
        )
    )

    assert by_span(complete_codes(spans, logged), "error_code") == {
        "silent": "KeyError",
        "told": "timeout",
        "well": None,
        "alone": "_OTHER",
    }
