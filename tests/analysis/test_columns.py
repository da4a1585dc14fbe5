import numpy as np
import pytest

from graphmind.analysis.columns import testable_columns as columns_of
from graphmind.analysis.options import CauseOptions
from tests.analysis.planted import plant, window_of
from tests.analysis.test_intervals import sample_of


def touching(*rows_by_item):
    """A window of 100 traces, every fifth failing, whose items are on the rows given."""
    touches = np.full((100, len(rows_by_item)), -1)
    for item, rows in enumerate(rows_by_item):
        touches[list(rows), item] = item
    return window_of(touches, np.arange(100) % 5 == 0, kinds=["agent"] * len(rows_by_item))


def columns(window, channels=1, kinds=None):
    sample = sample_of(window.failing["error"])
    return columns_of(window.items, sample, CauseOptions(), channels=channels, kinds=kinds)


def test_items_on_the_same_traces_are_one_column():
    found = columns(touching(range(50), range(20, 80), range(50), range(0, 100, 2)))

    assert found.item.tolist() == [0, 1, 3]
    assert [found.items_of(column).tolist() for column in range(3)] == [[0, 2], [1], [3]]
    assert found.rows_of((0, 2)).tolist() == list(range(0, 50, 2))
    assert (found.exposed.tolist(), found.failed.tolist()) == ([50, 60, 50], [10, 12, 10])


def test_items_on_too_few_traces_are_untestable():
    found = columns(touching(range(50), range(3), range(2)))

    assert found.item.tolist() == [0]
    assert found.untestable == 2


def test_items_with_too_few_failures_are_not_tested_but_testable():
    found = columns(touching(range(50), [row for row in range(100) if row % 5]))

    assert found.item.tolist() == [0]
    assert found.untestable == 0


def test_every_channel_tested_is_paid_for():
    window = plant(1, n=500).window

    three, one = (columns(window, count).search_nats_of((0,)) for count in (3, 1))

    assert np.isclose(three - one, np.log(3), atol=0.2)


def test_an_item_of_a_small_kind_pays_less_than_one_of_a_large_kind():
    rows = [range(n, 100, 2 + n % 3) for n in range(5)]
    kinds = ["region", "endpoint", "endpoint", "endpoint", "endpoint"]

    found = columns(touching(*rows), kinds=kinds)

    assert [found.search_nats_of((column,)) for column in range(5)] == pytest.approx(
        [np.log(2 * 1)] + [np.log(2 * 4)] * 4
    )


def test_equal_columns_pay_what_the_cheapest_of_their_items_pays():
    found = columns(
        touching(range(50), range(50), range(20, 80)), kinds=["region", "endpoint", "endpoint"]
    )

    assert found.search_nats_of((0,)) == pytest.approx(np.log(2))


def test_a_window_without_items_has_no_columns():
    found = columns(touching())

    assert (found.count, found.untestable) == (0, 0)
