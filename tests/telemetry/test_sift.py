"""Spans that cannot be used are dropped, counted by reason, and a few are shown."""

import pytest

from graphmind.telemetry.rejections import Rejections
from graphmind.telemetry.sift import sift
from graphmind.telemetry.spans import spans_from_rows
from tests.builders import Row, at, span

NOW = at(1_000)


def sifted(*rows: Row) -> tuple[list[str], Rejections]:
    rejected = Rejections()
    kept = sift(spans_from_rows(list(rows)), rejected, now_ns=NOW, future_s=0.5)
    return kept["span_id"].to_pylist(), rejected


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        ({"trace_id": None}, "span without a trace id"),
        ({"trace_id": ""}, "span without a trace id"),
        ({"trace_id": "0" * 32}, "span without a trace id"),
        ({"span_id": None}, "span without a span id"),
        ({"span_id": "0" * 16}, "span without a span id"),
        ({"start_ns": -1, "end_ns": None}, "span starts before 1970"),
        ({"start_ns": -5, "end_ns": None}, "span starts before 1970"),
        ({"start_ns": at(1_501), "end_ns": None}, "span starts in the future"),
        ({"start_ns": at(9), "end_ns": at(8)}, "span ends before it starts"),
    ],
)
def test_a_span_that_cannot_be_used_is_dropped_with_its_reason(damage, reason):
    kept, rejected = sifted(span("good"), span("bad") | damage)

    assert kept == ["good"]
    assert rejected.counts == {reason: 1}


@pytest.mark.parametrize(
    "oddity",
    [
        {"end_ns": None},
        {"start_ns": None, "end_ns": None},
        {"start_ns": 0, "end_ns": 7},
        {"start_ns": at(1_500), "end_ns": None},
        {"end_ns": at(0)},
        {"trace_id": "0a"},
        {"name": None},
    ],
)
def test_a_span_that_is_only_odd_is_kept(oddity):
    kept, rejected = sifted(span("odd") | oddity)

    assert kept == ["odd"]
    assert rejected.counts == {}


def test_a_span_with_two_faults_counts_once():
    _, rejected = sifted(span("bad") | {"trace_id": "", "start_ns": -1})

    assert rejected.rows() == [
        {
            "reason": "span without a trace id",
            "count": 1,
            "samples": ["trace_id= span_id=bad name=bad"],
        }
    ]


def test_of_many_bad_spans_all_are_counted_and_three_shown():
    bad = [span(f"bad{n}") | {"start_ns": -1} for n in range(7)]

    kept, rejected = sifted(*bad)

    assert kept == []
    assert rejected.counts == {"span starts before 1970": 7}
    assert len(rejected.samples["span starts before 1970"]) == 3


def test_a_sample_of_five_megabytes_is_cut():
    _, rejected = sifted(span("x" * (5 << 20)) | {"start_ns": -1})

    assert len(rejected.samples["span starts before 1970"][0]) == 200


def test_nothing_sifts_to_nothing():
    assert sifted() == ([], Rejections())


def test_what_two_parts_rejected_adds_up():
    _, first = sifted(span("a") | {"start_ns": -1})
    _, second = sifted(span("b") | {"start_ns": -1}, span("c") | {"trace_id": ""})

    first.merge(second)

    assert first.counts == {"span starts before 1970": 2, "span without a trace id": 1}
    assert len(first.samples["span starts before 1970"]) == 2
