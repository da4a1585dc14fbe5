"""One bad value by hand: p writes it, q passes it on, r and s fail, t and u do not, c cleans up.

time   1       2        3         4        5         6         7          8       9
key k  p writes, q reads,                   u reads,                       c writes
key l           q writes at 3,    r reads,           t reads, t writes m
"""

import numpy as np
import pyarrow as pa
import pytest

from graphmind.analysis.contamination.failures import failures_of
from graphmind.analysis.contamination.rollback import Rollback, Write
from graphmind.analysis.contamination.trail import PatientZero, Ring, follow
from tests.analysis.contamination.histories import history, reads, rows_of, writes

BAD = writes("p", 1)
STORY = [
    writes("a", 0, "l"),
    BAD,
    reads("q", 2),
    writes("q", 3, "l"),
    reads("r", 4, "l"),
    reads("u", 5),
    reads("t", 6, "l"),
    writes("t", 7, "m"),
    writes("c", 8),
    reads("v", 9),
    reads("s", 9, "l"),
]
FAILED = {"r": 5, "s": 9, "x": 3, "v": 9}
"""When; x accesses no key, v fails of something else."""


def failures(past, own=("r", "s", "x"), failed=None):
    began = FAILED if failed is None else failed
    symptoms = pa.table(
        {
            "trace_id": pa.array(list(began), pa.string()),
            "began_ns": pa.array(list(began.values()), pa.int64()),
        }
    )
    return failures_of(past, symptoms, pa.array(own, pa.string()))


def trail(story=STORY, *, zero=True, **given):
    past = history(story)
    [row] = rows_of(past, [BAD])
    return follow(
        past, failures(past, **given), np.array([row]), patient_zero=row if zero else None
    )


def test_traces_are_listed_by_distance_with_what_became_of_them():
    table = trail().traces.to_pylist()

    assert [(r["trace_id"], r["hops"], r["harmed"], r["healthy"]) for r in table] == [
        ("q", 1, False, True),
        ("u", 1, False, True),
        ("r", 2, True, False),
        ("t", 2, False, True),
        ("s", 2, True, False),
    ]
    assert [(r["key"], r["writer_id"]) for r in table] == [
        ("k", "p"),
        ("k", "p"),
        ("l", "q"),
        ("l", "q"),
        ("l", "q"),
    ]


def test_keys_are_listed_with_their_readers_and_whether_they_are_still_bad():
    assert trail().keys.to_pylist() == [
        {"key": "k", "hops": 0, "since_ns": 1, "writes": 1, "harmed": 0, "healthy": 2}
        | {"holds": False},
        {"key": "l", "hops": 1, "since_ns": 3, "writes": 1, "harmed": 2, "healthy": 1}
        | {"holds": True},
        {"key": "m", "hops": 2, "since_ns": 7, "writes": 1, "harmed": 0, "healthy": 0}
        | {"holds": True},
    ]


def test_failures_are_counted_by_distance_beside_the_traces_not_reached():
    found = trail()

    assert found.rings == (Ring(hops=1, traces=2, harmed=0), Ring(hops=2, traces=3, harmed=2))
    assert found.others == Ring(hops=0, traces=4, harmed=1)


def test_patient_zero_explains_the_traces_of_the_incident_that_read_before_they_failed():
    assert trail().patient_zero == PatientZero(
        write=Write(key="k", trace_id="p", agent="P", at_ns=1), explained=2, share=1.0
    )
    assert trail(own=("r", "s", "v")).patient_zero.share == pytest.approx(2 / 3)


def test_a_trace_that_had_failed_before_it_read_was_not_harmed_and_is_not_healthy():
    found = trail(failed={"r": 3})
    [r] = [row for row in found.traces.to_pylist() if row["trace_id"] == "r"]

    assert (r["harmed"], r["healthy"]) == (False, False)
    assert found.contaminated.num_rows == 0


def test_of_a_failing_trace_the_read_before_it_failed_is_told():
    [r] = [
        row for row in trail([*STORY, reads("r", 7)]).traces.to_pylist() if row["trace_id"] == "r"
    ]

    assert (r["hops"], r["key"], r["writer_id"]) == (2, "l", "q")


def test_a_trace_that_reads_a_key_again_is_counted_once():
    again = [reads("t", 7, "l"), reads("r", 5, "l"), reads("r", 8, "l")]

    assert trail([*STORY, *again]).keys.to_pylist() == trail().keys.to_pylist()


def test_a_key_goes_back_to_its_last_clean_write_and_loses_what_came_after():
    key_l, key_m = trail().rollbacks

    assert key_l == Rollback(
        key="l",
        hops=1,
        to=Write(key="l", trace_id="a", agent="A", at_ns=0),
        writes=1,
        by_agent={"Q": 1},
        healthy_writers=("q",),
        healthy_readers=1,
    )
    assert (key_m.key, key_m.to) == ("m", None)


def test_the_last_clean_write_is_that_before_the_bad_value_of_now():
    again = [reads("q", 9), writes("w", 10, "l"), reads("y", 11, "m"), writes("y", 12, "l")]

    [key_l, _] = trail([*STORY, *again]).rollbacks

    assert (key_l.to.trace_id, key_l.writes, key_l.by_agent) == ("w", 1, {"Y": 1})


def test_harmed_traces_are_paired_with_the_writer_they_read_from_and_with_patient_zero():
    ends = {"key": "l"}

    assert trail(zero=False).contaminated.to_pylist() == [
        {"from": "r", "to": "q", "hops": 1} | ends,
        {"from": "s", "to": "q", "hops": 1} | ends,
    ]
    assert trail().contaminated.to_pylist() == [
        {"from": "r", "to": "q", "hops": 1} | ends,
        {"from": "s", "to": "q", "hops": 1} | ends,
        {"from": "r", "to": "p", "hops": 2} | ends,
        {"from": "s", "to": "p", "hops": 2} | ends,
    ]


def test_who_read_from_patient_zero_itself_is_paired_with_it_once():
    found = trail(failed={"u": 6}).contaminated.to_pylist()

    assert found == [{"from": "u", "to": "p", "key": "k", "hops": 1}]


def test_a_value_that_nobody_read_has_reached_its_key_alone():
    found = trail([BAD, writes("c", 2, "l")])

    assert (found.traces.num_rows, found.rings) == (0, ())
    assert found.keys["key"].to_pylist() == ["k"]


def test_without_an_origin_there_is_nothing_to_tell():
    past = history(STORY)
    found = follow(past, failures(past), np.zeros(0, np.int64))

    assert (found.origins, found.patient_zero, found.rollbacks) == ((), None, ())
    assert (found.traces.num_rows, found.keys.num_rows) == (0, 0)
    assert found.others.traces == 9
