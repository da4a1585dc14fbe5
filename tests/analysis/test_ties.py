"""A key whose value is bad for a while: 600 traces read it, 100 of them the bad value."""

import numpy as np
import pytest

from graphmind.analysis.find import find
from graphmind.analysis.ties import NAMING
from graphmind.telemetry.facts import ITEM_KINDS
from tests.analysis.planted import window_of

N = 2000
READS_KEY = np.arange(N) % 10 < 3
WHILE_BAD = (np.arange(N) >= 700) & (np.arange(N) < 1030)
READS_BAD = READS_KEY & WHILE_BAD
FAILS = np.arange(N) % 97 == 5
FAILS_ON_BAD = FAILS | (READS_BAD & (np.arange(N) % 7 > 0))


def causes_of(failing, **touched_by):
    """Causes as (name, names of tied items, cause), items named by the argument's kind."""
    kinds = list(touched_by)
    touches = np.stack(
        [np.where(rows, item, -1) for item, rows in enumerate(touched_by.values())], axis=1
    )
    return [
        (
            [kinds[item] for item in cause.items],
            [kinds[item] for items in cause.tied for item in items],
            cause,
        )
        for finding in find(window_of(touches, failing, kinds=kinds)).findings
        for cause in finding.causes
    ]


def blame(failing, **touched_by):
    """The only cause: name, names of tied items, and the cause."""
    [([name], tied, cause)] = causes_of(failing, **touched_by)
    return name, tied, cause


def test_every_kind_of_item_has_a_place_among_the_names():
    assert sorted(NAMING) == sorted(ITEM_KINDS)


def test_a_poisoned_key_is_named_before_the_trace_that_wrote_it():
    name, tied, cause = blame(FAILS_ON_BAD, kv_key=READS_KEY, written_by_trace=READS_BAD)

    assert (name, tied) == ("kv_key", ["written_by_trace"])
    assert cause.bounded


def test_the_counts_of_a_poisoned_key_are_those_of_the_time_it_was_bad():
    _, _, cause = blame(FAILS_ON_BAD, kv_key=READS_KEY, written_by_trace=READS_BAD)

    failed, exposed = (READS_BAD & FAILS_ON_BAD).sum(), READS_BAD.sum()
    assert (cause.failed_with, cause.passed_with) == (failed, exposed - failed)
    assert (cause.failed_total, cause.passed_total) == (FAILS_ON_BAD.sum(), (~FAILS_ON_BAD).sum())
    bad = np.flatnonzero(READS_BAD & FAILS_ON_BAD)
    assert (cause.onset_ns, cause.until_ns) == (bad[0] * 10**9, bad[-1] * 10**9)


def test_an_agent_whose_other_values_are_healthy_is_tied_by_the_chain_of_writes():
    wrote = READS_BAD | (np.arange(N) % 10 == 9) & ~WHILE_BAD

    name, tied, _ = blame(
        FAILS_ON_BAD, kv_key=READS_KEY, written_by_agent=wrote, written_by_trace=READS_BAD
    )

    assert (name, tied) == ("kv_key", ["written_by_agent", "written_by_trace"])


def test_a_reader_that_is_healthy_at_other_times_is_no_match_for_the_bad_value():
    name, tied, _ = blame(FAILS_ON_BAD, agent=READS_KEY, written_by_trace=READS_BAD)

    assert (name, tied) == ("written_by_trace", [])


def test_a_reader_is_tied_where_no_write_was_recorded():
    healthy_runs = READS_BAD | (np.arange(N) % 10 == 9) & ~WHILE_BAD

    name, tied, cause = blame(FAILS_ON_BAD, kv_key=READS_KEY, agent=healthy_runs)

    assert (name, tied) == ("agent", ["kv_key"])
    assert cause.bounded


def test_a_key_that_also_fails_at_other_times_is_told_from_the_bad_value():
    fails_elsewhere = FAILS_ON_BAD | (READS_KEY & ~WHILE_BAD & (np.arange(N) % 20 == 0))

    found = causes_of(fails_elsewhere, kv_key=READS_KEY, written_by_trace=READS_BAD)

    assert {(*name, cause.bounded) for name, _, cause in found} == {
        ("kv_key", False),
        ("written_by_trace", False),
    }
    assert [tied for _, tied, _ in found] == [[], []]


@pytest.mark.parametrize("outside", [0, 3])
def test_items_on_nearly_the_same_traces_are_tied_in_the_order_of_what_can_be_acted_on(outside):
    few = np.zeros(N, bool)
    few[:outside] = True

    name, tied, cause = blame(
        FAILS_ON_BAD, module=READS_BAD, service=READS_BAD | few, model_version=READS_BAD
    )

    assert (name, tied) == ("model_version", ["service", "module"])
    assert not cause.bounded


def test_each_side_of_a_pair_is_named_by_the_most_actionable_item_that_gives_the_same_traces():
    rows = np.arange(N)
    model, region = rows % 4 == 0, rows % 3 == 0
    regional_endpoint = region & (rows % 2 == 0)
    failing = FAILS | (model & region)

    [(names, _, cause)] = causes_of(
        failing, model_version=model, region=region, endpoint=regional_endpoint
    )

    assert (names, cause.passed_with) == (["model_version", "region"], 0)


@pytest.mark.parametrize("last", [30, 40, 50, 60])
def test_one_healthy_reader_does_not_make_names_of_one_written_value_rivals(last):
    rows = np.arange(N)
    bad = READS_KEY & (rows >= N - last)
    wrote = bad | (rows == np.flatnonzero(~READS_KEY & (rows >= N - last))[5])

    name, _, cause = blame(FAILS & ~wrote | bad, kv_key=READS_KEY, written_by_trace=wrote)

    assert name == "kv_key"
    assert cause.confidence > 0.9
