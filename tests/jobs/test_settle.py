import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from graphmind.archive.duck import DuckArchive
from graphmind.archive.port import Selection
from graphmind.jobs.settle import settle
from graphmind.settings import Settings
from graphmind.telemetry.rejections import Rejections
from tests.builders import by_trace, copies, facts, in_trace, span
from tests.jobs.windows import HOUR_MS, loaded

ALL = Selection()
FEW = Settings(baseline_traces=3)
CALL = [span("root", 0, 100), span("call", 10, 90, parent="root")]
LONG = [span("root", 0, 900), span("call", 10, 890, parent="root")]
CROWD = copies(4, CALL, every_ms=1000)
"""Enough to tell by FEW what is normal."""
HOUR = [*CROWD, *in_trace("long", LONG, later_ms=5000)]
TO_THE_HOUR_MS = 2_800_000
"""Time 0 of the builders is 22:13:20."""


@pytest.fixture
def archive():
    with DuckArchive(None) as opened:
        yield opened


def settled(archive):
    return settle(archive, FEW, Rejections())


def outcomes(archive):
    return by_trace(archive.facts(ALL).traces, "outcome")


def test_traces_that_gained_get_their_facts(archive):
    loaded(archive, HOUR)

    assert settled(archive) == 5
    assert archive.facts(ALL).traces == facts(HOUR, FEW).traces
    assert outcomes(archive)["long"] == "slow"
    assert archive.unsettled().to_pylist() == []


def test_what_is_settled_is_not_derived_again(archive):
    loaded(archive, CROWD)
    settled(archive)
    loaded(archive, CROWD)

    assert settled(archive) == 0


def test_nothing_settles_nothing(archive):
    assert settled(archive) == 0


@pytest.fixture(scope="module")
def at_once():
    """Facts of an hour that came in one load."""
    with DuckArchive(None) as opened:
        loaded(opened, HOUR)
        settled(opened)
        return opened.facts(ALL)


@hypothesis_settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_the_facts_of_an_hour_do_not_depend_on_how_its_spans_were_loaded(at_once, data):
    shuffled = data.draw(st.permutations(HOUR))
    places = sorted(data.draw(st.lists(st.integers(0, len(HOUR)), max_size=3)))
    with DuckArchive(None) as archive:
        for first, last in zip([0, *places], [*places, len(HOUR)], strict=True):
            loaded(archive, shuffled[first:last])
            settled(archive)
        same = archive.facts(ALL) == at_once

    assert same


def test_a_span_that_comes_late_settles_the_hour_of_its_trace_and_no_other(archive):
    loaded(archive, CROWD, in_trace("next", CALL, later_ms=HOUR_MS))
    settled(archive)
    loaded(archive, in_trace("healthy000", [span("late", 20, 30, parent="call", failed=True)]))

    assert archive.unsettled().to_pylist() == ["healthy000"]
    assert settled(archive) == 4
    assert outcomes(archive) == {
        "healthy000": "failed",
        "healthy001": "ok",
        "healthy002": "ok",
        "healthy003": "ok",
        "next": "ok",
    }


def test_a_trace_belongs_to_the_hour_in_which_it_began(archive):
    across = [
        span("root", TO_THE_HOUR_MS - 5, TO_THE_HOUR_MS + 5, trace="across"),
        span("call", TO_THE_HOUR_MS, TO_THE_HOUR_MS + 4, trace="across", parent="root"),
    ]
    loaded(archive, CROWD, in_trace("next", CALL, later_ms=TO_THE_HOUR_MS))
    settled(archive)
    loaded(archive, across)

    assert settled(archive) == 5


def test_what_is_normal_is_measured_over_all_hours_from_the_first_to_the_last_that_gained(archive):
    long = in_trace("long", LONG, later_ms=HOUR_MS)
    loaded(archive, long)
    settled(archive)
    alone = outcomes(archive)
    loaded(archive, CROWD, in_trace("after", CALL, later_ms=2 * HOUR_MS))

    assert settled(archive) == 6
    assert (alone, outcomes(archive)["long"]) == ({"long": "ok"}, "slow")


def test_a_trace_that_states_no_time_is_counted_and_has_no_facts(archive):
    rejected = Rejections()
    loaded(archive, CROWD, [span("timeless", None, None, trace="timeless")])

    assert settle(archive, FEW, rejected) == 4
    assert rejected.counts == {"trace without any time": 1}
    assert archive.unsettled().to_pylist() == ["timeless"]


def test_spans_that_come_while_facts_are_derived_leave_their_trace_unsettled():
    late = in_trace("healthy001", [span("late", 20, 30, parent="call")])
    with _Busy(None, late) as archive:
        loaded(archive, CROWD)
        settled(archive)

        assert archive.unsettled().to_pylist() == ["healthy001"]


class _Busy(DuckArchive):
    """Gains some spans once, just after spans were read."""

    def __init__(self, folder, late):
        super().__init__(folder)
        self._late = [late]

    def span_batches(self, selection, spans_max):
        for spans in super().span_batches(selection, spans_max):
            while self._late:
                loaded(self, self._late.pop())
            yield spans
