from typing import Any

import pyarrow as pa
import pytest
from graphmind_loaders.start_markers import EVENT, MARKER, started, unended
from hypothesis import given
from hypothesis import strategies as st

from graphmind.telemetry.logs import LOGS
from graphmind.telemetry.spans import spans_from_rows

MARKS = st.dictionaries(
    st.sampled_from(["a", MARKER]), st.sampled_from(["true", "false", None]), max_size=2
)


@given(st.lists(MARKS, max_size=6), st.data())
def test_marked_spans_lose_their_end_and_their_mark(maps, data):
    start = data.draw(st.integers(0, len(maps)))
    rows = [{"span_id": "s", "end_ns": 5, "attributes": attributes} for attributes in maps]

    found = unended(spans_from_rows(rows).slice(start)).to_pylist()

    wanted = []
    for attributes in maps[start:]:
        marked = attributes.get(MARKER) == "true"
        kept = [pair for pair in attributes.items() if not (marked and pair[0] == MARKER)]
        wanted.append((None if marked else 5, kept))
    assert [(row["end_ns"], row["attributes"]) for row in found] == wanted


def log(attributes, **columns):
    row: dict[str, Any] = dict.fromkeys(LOGS.names) | {"time_ns": 5, "severity": 0, "body": "b"}
    row |= {"trace_id": "t", "span_id": "s", "event_name": EVENT} | columns
    row |= {"resource": {"service.name": "shop"}, "attributes": list(attributes.items())}
    resource = pa.array([list(row.pop("resource").items())], LOGS.field("resource").type.value_type)
    columns = {name: pa.array([row[name]], LOGS.field(name).type) for name in row}
    columns["resource"] = pa.DictionaryArray.from_arrays(pa.array([0], pa.int32()), resource)
    arrays = [columns[name] for name in LOGS.names]
    return pa.RecordBatch.from_arrays(arrays, schema=LOGS)


@pytest.mark.parametrize(
    ("parent", "found"), [(None, None), ("", None), ("0" * 16, None), ("AB", "ab")]
)
def test_the_parent_is_a_span_or_none(parent, found):
    logs, spans = started(log({"graphmind.span.parent_id": parent}))

    [span] = spans.to_pylist()
    assert logs.num_rows == 0
    assert (span["parent_span_id"], span["attributes"]) == (found, [])
    assert span["resource"] == [("service.name", "shop")]


@pytest.mark.parametrize("kind", ["3", "CLIENT", "client", "SPAN_KIND_CLIENT"])
def test_the_kind_is_a_number_or_a_name(kind):
    _, spans = started(log({"graphmind.span.kind": kind}))

    assert spans.column("kind").to_pylist() == [3]


@pytest.mark.parametrize("missing", ["trace_id", "span_id", "time_ns", "event_name"])
def test_a_record_that_says_of_no_span_that_it_started_stays_a_log(missing):
    batch = log({}, **{missing: None})

    logs, spans = started(batch)

    assert (logs, spans.num_rows) == (batch, 0)
