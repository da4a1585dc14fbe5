"""A bad value passed on over shared keys is found by who wrote it first."""

from dataclasses import replace

import pyarrow.compute as pc
import pytest

from graphmind.jobs.analyze import examine
from graphmind.jobs.window import with_lineage
from graphmind.settings import Settings
from tests.analysis.poisoned import poison


def causes_of(facts):
    """Names of the first cause of each incident, tied ones too, and its traces."""
    _, incidents, _ = examine(facts, Settings())
    return [
        (
            {
                (item["kind"], item["name"])
                for items in (incident["causes"][0]["all_of"], *incident["causes"][0]["tied"])
                for item in items
            },
            set(incident["trace_ids"]),
        )
        for incident in incidents
    ]


@pytest.mark.parametrize("seed", [0, 1])
def test_the_first_writer_is_named_where_few_of_its_own_readers_fail(seed):
    planted = poison(seed)

    [(names, traces)] = causes_of(with_lineage(planted.facts))

    assert ("fed_by_trace", planted.origin) in names
    assert len(traces & planted.hops.keys()) > 0.9 * len(planted.hops)


def test_without_items_of_distance_it_is_not_found():
    planted = poison(0)
    whole = with_lineage(planted.facts)
    near = whole.items.filter(pc.invert(pc.starts_with(whole.items["kind"], "fed_by_")))

    named = set().union(*(names for names, _ in causes_of(replace(whole, items=near))))

    assert planted.origin not in {name for _, name in named}


def test_the_direct_writer_is_named_where_it_explains_as_well():
    planted = poison(0, strengths=(0.9, 0.0, 0.0), failures_min=12)

    [(names, _)] = causes_of(with_lineage(planted.facts))

    assert ("written_by_trace", planted.origin) in names


def test_a_window_in_which_no_value_is_bad_stays_silent():
    assert causes_of(with_lineage(poison(3, quiet=True).facts)) == []
