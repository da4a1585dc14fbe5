import numpy as np

from benchmarks.comparison.trial import OURS, Trial, not_below, run_trial, table
from benchmarks.comparison.worlds import add_effects, drawn_trial, find_drawn
from benchmarks.rivals.methods import installed_rivals
from benchmarks.scoring import Found, Planted
from graphmind.analysis.window import items_before_symptom
from tests.analysis.planted import plant
from tests.benchmarks.rivals.windows import BAD, name, traces, two_faults

FAULT = Planted(
    kind="agent_error",
    explanations=frozenset({name(BAD)}),
    traces=traces(0, 10),
    mended=frozenset(),
)
RIGHT = Found(explanations=(frozenset({name(BAD)}),), traces=traces(0, 10))
WRONG = Found(explanations=(frozenset({name(2)}),), traces=traces(0, 10))


def trial(**found):
    return Trial(
        planted=(FAULT,),
        found={OURS if method == "ours" else method: reports for method, reports in found.items()},
        seconds=dict.fromkeys([OURS, *found], 0.25),
    )


def test_a_row_says_how_a_method_did():
    rows = table([trial(ours=[RIGHT, WRONG])], [trial(ours=[WRONG]), trial(ours=[])]).splitlines()

    assert rows[-1] == (
        "| **graphmind** | finds | 1.000 | 1.000 | 1.000 | 0.500 (1/2) | 1.000 | 1.000 "
        "| 1 of 2 | 0.25 |"
    )


def test_a_rival_that_reaches_ours_is_named():
    assert not_below([trial(ours=[RIGHT, WRONG], Ochiai=[RIGHT], DStar=[WRONG])]) == [
        "Ochiai (Acc@1 1.000, Acc@3 1.000, Acc@5 1.000, precision 1.000, ARI 1.000, AMI 1.000)",
        "DStar (ARI 1.000, AMI 1.000)",
    ]


def test_small_incidents_are_not_counted_as_missed():
    small = Planted(
        kind="", explanations=frozenset({name(7)}), traces=traces(30, 39), mended=frozenset()
    )
    seen = Trial(planted=(FAULT, small), found={OURS: [RIGHT]}, seconds={OURS: 0.0})

    assert "| 1.000 | 1.000 | 1.000 |" in table([seen], [])


def test_every_method_sees_the_same_window_and_one_sees_it_uncut():
    window, ids = two_faults()

    seen = run_trial(window, ids, [FAULT], lambda: [RIGHT], {"mine": lambda _view, _n: [WRONG]})

    assert set(seen.found) == {
        *installed_rivals(),
        OURS,
        "mine",
        "Ochiai, peeled, not cut at the symptom",
    }
    assert seen.found["Ochiai, peeled"][0].explanations[0] == {name(BAD)}
    # Item 3 is what every failing trace touched after it failed.
    assert seen.found["Ochiai, peeled, not cut at the symptom"][0].explanations[0] == {name(3)}


def test_a_drawn_window_is_found_out_by_ours_with_its_ties():
    truth = plant(3, n=2000, causes=1, pair_share=0, clones=1)
    [(cause,)] = truth.causes
    kind = truth.window.item_kinds

    [report] = find_drawn(truth.window, [str(row) for row in range(truth.window.n)])

    assert report.explanations[0] == {
        frozenset({(kind[item], truth.window.item_names[item])})
        for item in (cause, truth.clones[cause])
    }


def test_a_quiet_window_has_nothing_planted_and_every_ranking_reports():
    seen = drawn_trial(5, quiet=True, more={}, traces=1000, spread=0.0)

    assert seen.planted == ()
    assert list(seen.found[OURS]) == []
    assert len(seen.found["Ochiai"]) == 1


def test_effects_are_touched_after_the_failure_and_change_nothing_else():
    plain = plant(3, n=500).window

    more = add_effects(plain, 3)

    added = more.items.columns >= plain.items.width
    failing = np.flatnonzero(plain.failing["error"])
    before = more.items.only(~added)
    assert np.array_equal(before.columns, plain.items.columns)
    assert np.array_equal(before.starts, plain.items.starts)
    assert set(more.touched_ns[added]) == {2}
    assert set(np.repeat(np.arange(500), np.diff(more.items.starts))[added]) <= {*failing}
    assert np.array_equal(items_before_symptom(more, "error").columns, plain.items.columns)
