import pyarrow as pa
import pytest

from graphmind.archive.duck import DuckArchive
from graphmind.archive.port import Selection
from graphmind.telemetry.rejections import Rejections
from tests.builders import at, in_trace, resolved, span
from tests.jobs.windows import HOUR_MS, loaded

ALL = Selection()
TREE = [span("root"), span("leaf", 2, 8, parent="root", failed=True)]


@pytest.fixture
def archive():
    with DuckArchive(None) as opened:
        yield opened


def test_spans_are_archived_as_the_resolver_reads_them(archive):
    loaded(archive, TREE)

    kept = archive.spans(ALL)
    assert kept.equals(resolved(TREE).select(kept.column_names))


def test_a_load_says_what_came_and_from_which_traces(archive):
    came = loaded(archive, in_trace("b", TREE), in_trace("a", TREE))

    assert (came.spans, came.duplicate) == (4, 0)
    assert came.trace_ids.equals(pa.array(["a", "b"]))
    assert came.rejected.counts == {}


def test_loading_twice_changes_nothing(archive):
    loaded(archive, TREE)
    before = archive.spans(ALL), archive.counts(), archive.latest()
    again = loaded(archive, TREE)

    assert (again.spans, again.duplicate) == (2, 2)
    assert again.trace_ids.equals(pa.array(["t"]))
    assert (archive.spans(ALL), archive.counts(), archive.latest()) == before


def test_spans_that_cannot_be_used_are_counted_by_reason_and_kept_out(archive):
    rejected = Rejections()
    came = loaded(
        archive,
        [
            *TREE,
            span("nameless", trace=""),
            span("backwards", 10, 5, trace="u"),
            span("tomorrow", 9 * 24 * HOUR_MS, None, trace="u"),
        ],
        [span("0", 3, 2)],
        rejected=rejected,
    )

    assert came.rejected is rejected
    assert rejected.counts == {
        "span without a trace id": 1,
        "span without a span id": 1,
        "span starts in the future": 1,
        "span ends before it starts": 1,
    }
    assert came.trace_ids.equals(pa.array(["t"]))
    assert archive.spans(ALL)["span_id"].to_pylist() == ["root", "leaf"]


def test_a_span_may_start_as_far_ahead_of_the_clock_as_the_settings_allow(archive):
    day_ahead = 8 * 24 * HOUR_MS
    came = loaded(archive, [span("soon", day_ahead, None), span("later", day_ahead + 1, None)])

    assert came.rejected.counts == {"span starts in the future": 1}
    assert archive.spans(ALL)["start_ns"].to_pylist() == [at(day_ahead)]


def test_a_load_of_nothing_is_of_no_trace(archive):
    came = loaded(archive)

    assert (came.spans, came.duplicate, came.trace_ids.to_pylist()) == (0, 0, [])


def test_a_source_that_breaks_leaves_nothing(archive):
    def broken():
        yield from TREE
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        loaded(archive, in_trace("a", TREE), broken())

    assert archive.counts()["spans"] == 0
