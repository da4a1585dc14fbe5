from dataclasses import replace

import pyarrow as pa
import pytest

from graphmind.archive.duck import DuckArchive
from graphmind.jobs.references import (
    PERIOD_NS,
    PERIODS_PER_MODE,
    TRACES_MAX,
    TRACES_MIN,
    choose_references,
    clean_periods,
    known_references,
    refresh_references,
)
from graphmind.telemetry.facts import TRACES
from tests.archive.rows import facts
from tests.incidents.windows import incident

DAY_NS = 24 * 3600 * 1_000_000_000
MONDAY_NS = 4 * DAY_NS  # 5 January 1970
DAYS = range(4)


def window(*periods, traces=TRACES_MIN):
    """Facts of so many traces in each of the periods, named after them."""
    step = PERIOD_NS // traces
    rows = [
        {"trace_id": f"{period}-{n:04}", "start_ns": period * PERIOD_NS + n * step, "weight": 1.0}
        for period in periods
        for n in range(traces)
    ]
    return replace(facts(), traces=pa.Table.from_pylist(rows, schema=TRACES))


@pytest.fixture
def archive():
    with DuckArchive(None) as opened:
        yield opened


def test_a_period_without_a_trace_of_an_incident_is_clean():
    dirty = incident(trace_ids=("2-0003",))

    assert [p.from_ns // PERIOD_NS for p in clean_periods(window(1, 2, 3), [dirty])] == [1, 3]


def test_a_period_with_too_few_traces_is_no_reference():
    assert clean_periods(window(1, traces=TRACES_MIN - 1), []) == []


def test_of_a_busy_period_evenly_spread_traces_are_kept():
    (period,) = clean_periods(window(1, traces=3 * TRACES_MAX), [])

    assert period.trace_ids[:2] == ("1-0000", "1-0003")
    assert len(period.trace_ids) == TRACES_MAX


def test_periods_are_kept_by_mode_and_the_oldest_give_way(archive):
    for day in DAYS:
        noon = (MONDAY_NS + day * DAY_NS + DAY_NS // 2) // PERIOD_NS
        refresh_references(archive, window(noon), [])
    refresh_references(archive, window(MONDAY_NS // PERIOD_NS), [])
    kept = known_references(archive)

    assert [(p.mode, p.from_ns // DAY_NS - 4) for p in kept] == [
        ("working day 00", 0),
        *(("working day 12", day) for day in DAYS[-PERIODS_PER_MODE:]),
    ]


def test_a_kept_period_in_which_an_incident_is_found_later_is_dropped(archive):
    refresh_references(archive, window(1, 2), [])
    kept = refresh_references(archive, facts(), [incident(trace_ids=("1-0000", "x"))])

    assert [p.from_ns // PERIOD_NS for p in kept] == [2]
    assert known_references(archive) == kept


def test_an_incident_is_compared_with_its_part_of_the_day_first_then_with_the_nearest():
    noon, night = DAY_NS // 2 // PERIOD_NS, DAY_NS // PERIOD_NS - 1
    periods = clean_periods(window(0, noon, noon + 1, night), [])
    chosen = choose_references(periods, incident(onset_ms=DAY_NS // 2 // 1_000_000), 3)

    assert [p.from_ns // PERIOD_NS for p in chosen] == [noon, noon + 1, night]
