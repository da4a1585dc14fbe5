import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphmind.analysis.options import CauseOptions
from graphmind.analysis.strengths import Classes, fit_strengths

OPTIONS = CauseOptions()


def classes_of(rows, strata=1):
    """Rows of (active causes, stratum, total, failed)."""
    active, stratum, total, failed = zip(*rows, strict=True)
    return Classes(
        active=np.array(active, bool),
        stratum=np.array(stratum),
        total=np.array(total, float),
        failed=np.array(failed, float),
        strata=strata,
    )


def fit(classes, start=0.5):
    shape = (classes.active.shape[1], classes.strata)
    return fit_strengths(classes, np.full(shape, start), OPTIONS)


def test_one_cause_has_the_attributable_probability():
    fitted = fit(classes_of([([0], 0, 10_000, 100), ([1], 0, 1_000, 505)]))

    assert fitted.base_rate == pytest.approx(0.01, rel=0.01)
    assert fitted.strength[0, 0] == pytest.approx(0.5, abs=0.001)
    assert fitted.survival.tolist() == pytest.approx([1, 0.5], abs=0.001)


def test_overlapping_causes_share_the_failures():
    p, q, base = 0.3, 0.6, 0.01

    def failing(*strengths):
        return 1 - (1 - base) * np.prod([1 - s for s in strengths])

    fitted = fit(
        classes_of(
            [
                ([0, 0], 0, 1e5, 1e5 * base),
                ([1, 0], 0, 1e4, 1e4 * failing(p)),
                ([0, 1], 0, 1e4, 1e4 * failing(q)),
                ([1, 1], 0, 1e3, 1e3 * failing(p, q)),
            ]
        )
    )

    assert fitted.strength[:, 0] == pytest.approx([p, q], abs=0.002)


@settings(deadline=None)
@given(st.floats(0.05, 0.95), st.integers(50, 950))
def test_the_fit_does_not_depend_on_where_it_starts(start, failed):
    classes = classes_of([([0], 0, 5000, 50), ([1], 0, 1000, failed)])

    assert fit(classes, start).strength[0, 0] == pytest.approx(
        fit(classes).strength[0, 0], abs=0.003
    )


def test_strength_stays_constant_where_strata_agree():
    rows = [([0], s, 5000, 50) for s in range(4)] + [([1], s, 500, 250) for s in range(4)]

    assert np.ptp(fit(classes_of(rows, strata=4)).strength) == 0


def test_strength_varies_where_strata_differ_beyond_chance():
    failed = [400, 25, 250, 100]
    rows = [([0], s, 5000, 50) for s in range(4)] + [([1], s, 500, failed[s]) for s in range(4)]

    fitted = fit(classes_of(rows, strata=4))

    expected = [1 - (1 - f / 500) / 0.99 for f in failed]
    assert fitted.strength[0] == pytest.approx(expected, abs=0.02)


def test_a_model_without_causes_has_the_failing_share_as_its_base_rate():
    fitted = fit(classes_of([([], 0, 1000, 20)]))

    assert fitted.base_rate == pytest.approx(0.02, rel=0.05)
    assert fitted.strength.shape == (0, 1)


def test_traces_that_a_cause_splits_off_are_counted_once():
    from tests.analysis.test_intervals import sample_of

    sample = sample_of([1, 0, 1, 0, 0])
    classes = classes_of([([], 0, 5, 2)])
    split, hit = classes.split(np.zeros(5, np.int32), np.array([0, 1]), sample)

    assert hit.tolist() == [0]
    assert split.active.tolist() == [[False], [True]]
    assert (split.total.tolist(), split.failed.tolist()) == ([3, 2], [1, 1])
