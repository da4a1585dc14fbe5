from itertools import pairwise

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from graphmind.matching.fingerprint import TRACES_MAX, choose_traces, take_fingerprints
from tests.builders import assembled, copies, facts, span

HEALTHY = [
    span("route", 0, 100),
    span("call", 10, 60, parent="route", attributes={"gen_ai.agent.name": "a"}),
]
FAILING = [
    span("route", 0, 900, failed=True),
    span(
        "call",
        10,
        850,
        parent="route",
        failed=True,
        status_message="pool of 7 connections exhausted",
        attributes={"error.type": "timeout"},
    ),
]
ROWS = [*copies(4, HEALTHY), *copies(6, FAILING, prefix="failing", every_ms=1000)]


def incident(*trace_ids, **changes):
    return {
        "trace_ids": trace_ids,
        "survivors": (),
        "error_codes": {"timeout": len(trace_ids)},
        "symptom": "error",
        "root_path": "route > call",
        "causes": [{"all_of": [{"kind": "tool", "name": "search@v3"}]}],
        **changes,
    }


def taken(rows, own, trace_ids=None):
    chosen = list(own["trace_ids"] if trace_ids is None else trace_ids)
    spans = assembled(row for row in rows if row["trace_id"] in chosen)
    return take_fingerprints([own], [chosen], spans, facts(rows))[0]


def test_what_the_failing_traces_logged_gives_keywords_too():
    own = incident(*failing())
    spans, logged = assembled(ROWS), {name: ["upstream   gave no quorum"] for name in failing()}
    logged["healthy000"] = ["cache missed"]
    [found] = take_fingerprints([own], [failing()], spans, facts(ROWS), logged)

    assert set(found.signature.log_signature) == {
        *("connect", "exhaust", "pool", "timeout"),
        *("gav", "quorum", "upstream"),
    }


def failing(count=6):
    return [f"failing{n:03}" for n in range(count)]


def test_a_fingerprint_shows_structure_codes_cause_metrics_and_keywords():
    own = incident(*failing(), survivors=["healthy000", "healthy001"])
    found = taken(ROWS, own)

    assert "route (fails) > call (fails)" in found.structure
    assert found.error_codes == {"timeout": 1.0}
    assert found.cause_class == "tool search"
    assert found.failing_path == "route > call"
    assert found.signature.metrics == ("duration x8", "error share 1")
    assert found.signature.log_signature == ("connect", "exhaust", "pool", "timeout")


def test_traces_without_a_code_count_under_their_symptom():
    found = taken(ROWS, incident(*failing(4), error_codes={"timeout 31": 1}, symptom="hang"))

    assert found.error_codes == {"(hang)": 0.75, "timeout #": 0.25}


def test_without_a_cause_there_is_no_class():
    assert taken(ROWS, incident(*failing(), causes=[])).cause_class is None


def test_the_span_that_shows_a_symptom_counts_as_failing_without_an_error():
    model = {"gen_ai.request.model": "m"}
    hanging = [
        span("route", 0, 40_000),
        span("call", 10, 39_000, parent="route", attributes=model),
    ]
    rows = [*copies(20, HEALTHY), *copies(2, hanging, prefix="hanging")]
    found = taken(rows, incident("hanging000", "hanging001", error_codes={}, symptom="hang"))

    assert {row["kind"] for row in facts(rows).symptoms.to_pylist()} == {"hang"}
    assert any(token.endswith("call (fails)") for token in found.structure)


@settings(max_examples=20, deadline=None)
@given(st.randoms(), st.text("0123456789abcdef", min_size=4, max_size=4))
def test_other_ids_and_another_order_give_the_same_fingerprint(random, salt):
    def renamed(row):
        own = {name: f"{salt}{row[name]}" for name in ("trace_id", "span_id")}
        above = row["parent_span_id"]
        return row | own | {"parent_span_id": above and f"{salt}{above}"}

    ids = failing()
    others = random.sample([f"{salt}{name}" for name in ids], len(ids))
    mixed = random.sample([renamed(row) for row in ROWS], len(ROWS))
    again = taken(mixed, incident(*others))

    assert again == taken(ROWS, incident(*ids))
    assert again.hash == taken(ROWS, incident(*ids)).hash


def starts(count, name=str):
    ids = [name(n) for n in range(count)]
    return pa.table({"trace_id": ids, "start_ns": pa.array(range(count), pa.int64())})


def test_traces_are_chosen_evenly_over_time_whatever_their_ids():
    chosen = choose_traces(starts(160))

    assert len(chosen) == TRACES_MAX
    assert (chosen[0], chosen[-1]) == ("0", "159")
    assert {int(b) - int(a) for a, b in pairwise(chosen)} <= {10, 11}
    assert choose_traces(starts(160, "id {}".format)) == [f"id {name}" for name in chosen]


def test_of_few_traces_all_are_chosen_and_of_none_none():
    assert choose_traces(starts(3)) == ["0", "1", "2"]
    assert choose_traces(starts(0)) == []
