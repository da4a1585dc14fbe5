import json

import pytest
from graphmind_loaders.pull.log_line import fields_of, ids_of, message_of, severity_of
from hypothesis import given
from hypothesis import strategies as st

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
NAMES = st.from_regex(r"[a-z_]{1,8}", fullmatch=True)


@given(st.text())
def test_any_line_has_fields_or_none(line):
    fields = fields_of(line)

    assert all(isinstance(key, str) for key in fields)
    assert message_of(line, fields) is not None
    severity_of(fields)
    ids_of(fields)


@given(st.dictionaries(NAMES, st.text(), min_size=1))
def test_a_json_line_gives_its_fields(fields):
    assert fields_of(json.dumps(fields)) == fields


@given(st.dictionaries(NAMES, st.text(st.characters(blacklist_categories=["Cc", "Cs", "Z"]))))
def test_a_logfmt_line_gives_its_fields(fields):
    def quoted(text):
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    line = " ".join(f"{key}={quoted(value)}" for key, value in fields.items())

    assert fields_of(line) == fields


@pytest.mark.parametrize(
    "line", ["", "plain text", "x=1 and text", "[1]", "{broken", '{"a":', "=1"]
)
def test_other_lines_have_none(line):
    assert fields_of(line) == {}


@pytest.mark.parametrize(
    ("trace", "span"),
    [
        ("trace_id", "span_id"),
        ("traceid", "spanid"),
        ("traceID", "spanID"),
        ("traceId", "spanId"),
        ("trace.id", "span.id"),
        ("otelTraceID", "otelSpanID"),
    ],
)
def test_ids_are_found_under_every_spelling(trace, span):
    assert ids_of({}, {trace: TRACE.upper(), span: SPAN}) == (TRACE, SPAN)


@pytest.mark.parametrize("value", [None, "", "0" * 32, "xyz", "abc", TRACE + "00"])
def test_what_is_no_id_is_none(value):
    assert ids_of({"trace_id": value}, {"traceID": TRACE}) == (TRACE, None)


@pytest.mark.parametrize(
    ("place", "number"),
    [
        ({"level": "WARN"}, 13),
        ({"severity": "Error"}, 17),
        ({"detected_level": "critical"}, 21),
        ({"severity_number": "18", "level": "info"}, 18),
        ({"severity_number": "99", "level": "info"}, 9),
        ({"level": "unknown", "detected_level": "debug"}, 5),
        ({"level": None}, 0),
    ],
)
def test_severities_are_numbered(place, number):
    assert severity_of({}, place) == number
