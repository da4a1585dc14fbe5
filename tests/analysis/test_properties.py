"""What must not matter does not: order, labels, and items that have nothing to do with it."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from graphmind.analysis.find import find
from graphmind.analysis.incidence import Incidence
from tests.analysis.planted import plant

SEEDS = st.integers(0, 10_000)
FEW = settings(deadline=None, max_examples=5)


def answer(window, number=None):
    """Item sets and traces of every finding; items renumbered."""
    number = np.arange(window.items.width) if number is None else number
    return sorted(
        (
            sorted(tuple(sorted(number[list(cause.items)].tolist())) for cause in finding.causes),
            sorted(finding.traces.tolist()),
        )
        for finding in find(window).findings
    )


def with_items(window, items, kinds):
    return replace(
        window,
        items=items,
        touched_ns=np.zeros(len(items.columns), np.int64),
        item_kinds=tuple(kinds),
        item_names=tuple(map(str, range(len(kinds)))),
    )


@FEW
@given(SEEDS)
def test_the_numbering_of_items_does_not_matter(seed):
    window = plant(seed, n=800).window
    order = np.random.default_rng(seed).permutation(window.items.width)
    place = np.argsort(order).astype(np.int32)
    renumbered = with_items(
        window,
        window.items.renumber(place, window.items.width),
        [window.item_kinds[item] for item in order],
    )

    assert answer(renumbered, order) == answer(window)


@FEW
@given(SEEDS)
def test_the_order_of_traces_that_start_together_does_not_matter(seed):
    window = plant(seed, n=800).window
    window = replace(window, start_ns=window.start_ns // 5_000_000_000)
    random = np.random.default_rng(seed).random(window.n)
    order = np.lexsort((random, window.start_ns))

    shuffled = [
        (causes, sorted(order[traces].tolist())) for causes, traces in answer(window.take(order))
    ]

    assert sorted(shuffled) == answer(window)


@FEW
@given(SEEDS)
def test_the_numbering_of_units_strata_and_codes_does_not_matter(seed):
    window = plant(seed, n=800, heterogeneity=0.8).window
    [codes] = window.descriptors
    renamed = replace(
        window,
        unit=window.unit[::-1] + 7,
        stratum=50 - window.stratum,
        descriptors=(replace(codes, codes=np.where(codes.codes < 0, -1, 20 - codes.codes)),),
    )

    assert answer(renamed) == answer(window)


@FEW
@given(SEEDS)
def test_an_item_that_has_nothing_to_do_with_it_does_not_change_the_first_cause(seed):
    window = plant(seed, n=800).window
    random = np.random.default_rng(seed + 1)
    rows = np.flatnonzero(random.random(window.n) < 0.1)
    width = window.items.width
    columns = np.insert(window.items.columns, window.items.starts[rows + 1], width)
    starts = window.items.starts + np.concatenate(
        [[0], np.cumsum(np.bincount(rows, minlength=window.n))]
    )
    noisy = with_items(
        window,
        Incidence(starts=starts, columns=columns.astype(np.int32), width=width + 1),
        (*window.item_kinds, "tool"),
    )

    before, after = find(window).findings, find(noisy).findings

    assert [c.items for f in after[:1] for c in f.causes] == [
        c.items for f in before[:1] for c in f.causes
    ]


@FEW
@given(SEEDS)
def test_twice_as_many_traces_are_more_evidence_for_the_same_cause(seed):
    window = plant(seed, n=800, causes=1, pair_share=0, interval_share=0).window
    twice = replace(
        window.take(np.repeat(np.arange(window.n), 2)), unit=np.arange(2 * window.n, dtype=np.int32)
    )

    once, again = ([c for f in find(w).findings for c in f.causes][:1] for w in (window, twice))

    assert [c.items for c in once] == [c.items for c in again][: len(once)]
    assert all(a.gain_nats > o.gain_nats for o, a in zip(once, again, strict=False))
    assert all(a.q_value <= o.q_value for o, a in zip(once, again, strict=False))
