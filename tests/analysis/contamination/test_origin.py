"""Where a bad value came from, on windows in which it is known."""

from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from graphmind.analysis.contamination.failures import failures_of
from graphmind.analysis.contamination.origin import blamed_writes, patient_zero, suspects_in
from graphmind.telemetry.lineage import history_of
from tests.analysis.contamination.histories import accesses_of, history, reads, rows_of, writes
from tests.analysis.poisoned import poison

NOBODY = np.zeros(0, np.int64)


@cache
def window(seed, *, quiet=False):
    """A history, who failed in it, and the trace that wrote the bad value."""
    planted = poison(seed, n=4000, failures_min=20, quiet=quiet)
    past = history_of(planted.facts.accesses)
    own = planted.facts.symptoms["trace_id"].combine_chunks()
    if not quiet:
        own = pa.array(list(planted.hops), pa.string())
    return past, failures_of(past, planted.facts.symptoms, own), planted.origin


def writer(past, row):
    return None if row is None else past.accesses["trace_id"][row].as_py()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_first_bad_write_is_found_without_a_cause(seed):
    past, failed, origin = window(seed)

    assert writer(past, patient_zero(suspects_in(past, failed), NOBODY)) == origin


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_no_write_is_blamed_where_none_is_bad(seed):
    past, failed, _ = window(seed, quiet=True)

    assert patient_zero(suspects_in(past, failed), NOBODY) is None


def test_a_write_upstream_of_the_blamed_one_must_explain_more():
    past, failed, origin = window(0)
    suspects = suspects_in(past, failed)
    downstream = blamed_writes(past, suspects, [("fed_by_trace", origin)])
    others = suspects.write[~np.isin(suspects.write, downstream)]

    assert writer(past, patient_zero(suspects, downstream)) == origin
    assert writer(past, patient_zero(suspects, others)) == origin


READERS = "qrstuv"
STORY = [
    writes("a", 0, "other"),
    writes("p", 1),
    writes("p", 2, "other"),
    *(reads(trace, 3 + n) for n, trace in enumerate(READERS)),
    writes("p", 20, "unread"),
    *(reads(f"h{n}", 30, "other") for n in range(40)),
]


def blamed(*items, story=STORY, failing=READERS):
    past = history(story)
    symptoms = pa.table(
        {"trace_id": pa.array(failing, pa.string()), "began_ns": [50] * len(failing)}
    )
    suspects = suspects_in(past, failures_of(past, symptoms, pa.array(list(failing), pa.string())))
    names = accesses_of(past)
    return [names[row] for row in blamed_writes(past, suspects, items).tolist()]


def test_of_a_key_the_writes_that_did_harm_are_blamed():
    assert blamed(("kv_key", "k")) == [writes("p", 1)]
    assert blamed(("kv_key", "other")) == []


@pytest.mark.parametrize("item", [("written_by_trace", "p"), ("written_by_agent", "P")])
def test_of_a_writer_what_nobody_has_read_yet_is_blamed_too(item):
    assert set(blamed(item)) == {writes("p", 1), writes("p", 20, "unread")}


def test_a_write_that_may_have_cleaned_the_key_is_not_blamed():
    assert blamed(("kv_key", "k"), story=[*STORY, writes("z", 25)]) == [writes("p", 1)]


def test_a_writer_is_blamed_for_what_others_passed_on_only_if_it_fed_them():
    passed_on = [reads("m", 3), writes("m", 4, "l")]
    story = [writes("p", 1), *passed_on, *(reads(trace, 6, "l") for trace in READERS)]

    assert blamed(("written_by_trace", "p"), story=story) == []
    assert blamed(("fed_by_trace", "p"), story=story) == [writes("p", 1)]
    assert blamed(("fed_by_agent", "P"), story=story) == [writes("p", 1)]


def test_a_cause_that_names_no_writer_blames_no_write():
    assert blamed(("agent", "P"), ("region", "k")) == []


def test_what_was_read_after_the_failure_did_no_harm():
    late = [writes("p", 1), *(reads(trace, 60) for trace in READERS)]

    assert blamed(("kv_key", "k"), story=late) == []


def test_traces_of_other_incidents_speak_neither_for_nor_against_a_write():
    past = history(STORY)
    symptoms = pa.table(
        {
            "trace_id": pa.array([*READERS, *(f"h{n}" for n in range(40))], pa.string()),
            "began_ns": [50] * 46,
        }
    )
    failed = failures_of(past, symptoms, pa.array(list(READERS), pa.string()))
    suspects = suspects_in(past, failed)

    assert suspects.write.tolist() == rows_of(past, [writes("p", 1)]).tolist()
    assert suspects.failed.tolist() == [6]


def test_unknown_agents_are_nobodys_writes():
    past = history(STORY)
    nameless = past.accesses.set_column(
        past.accesses.schema.get_field_index("agent"),
        "agent",
        pa.nulls(past.accesses.num_rows, pa.string()),
    )
    symptoms = pa.table({"trace_id": list(READERS), "began_ns": [50] * 6})
    past = history_of(nameless)
    failed = failures_of(past, symptoms, pa.array(list(READERS)))

    assert pc.all(pc.is_null(past.accesses["agent"])).as_py()
    assert len(blamed_writes(past, suspects_in(past, failed), [("written_by_agent", "P")])) == 0
