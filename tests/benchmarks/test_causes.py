import numpy as np
import pytest

from benchmarks.causes.accuracy import agreement, calibration_error, rank, score
from benchmarks.causes.methods import METHODS, Report, saved
from benchmarks.mixture import plant_mixture


def report(*names, rows, confidence=0.0):
    return Report(names=[set(tied) for tied in names], rows=np.array(rows), confidence=confidence)


def test_a_cause_has_the_best_rank_that_a_report_of_its_traces_gives_it():
    reports = [
        report([(1,)], [(2,), (3,)], rows=[0, 1]),
        report([(3,)], rows=[8, 9]),
    ]

    assert rank((3,), np.array([1, 2]), reports) == 2
    assert rank((4,), np.array([1, 2]), reports) == 99


def test_failing_traces_of_no_cause_are_a_group_of_their_own():
    failing = np.array([True, True, True, True, False])
    caused = np.array([0, 0, -1, -1, -1])

    assert agreement(caused, [report([(1,)], rows=[0, 1])], failing) == 1
    assert agreement(caused, [report([(1,)], rows=[0, 1, 2, 3])], failing) == 0


def test_the_calibration_error_is_what_was_said_less_what_was_right():
    said = np.array([0.95, 0.95, 0.25, 0.25])
    right = np.array([True, True, False, True])

    assert calibration_error(said, right) == pytest.approx((2 * 0.05 + 2 * 0.25) / 4)


def test_the_same_seed_plants_the_same_mixture():
    one, other = (plant_mixture(3, n=2000) for _ in range(2))

    assert one.causes == other.causes
    assert (one.window.items.columns == other.window.items.columns).all()


def test_a_planted_mixture_fails_where_its_causes_are():
    truth = plant_mixture(6, n=5000)
    failing = truth.window.failing["error"]

    assert truth.causes
    assert failing[truth.caused >= 0].all()
    assert 0 < failing[truth.caused < 0].mean() < 0.05


def test_ours_names_what_was_planted():
    truth = plant_mixture(9, n=5000)

    found = score(truth, METHODS["ours"](), saved(truth.window))

    assert 1 in found.ranks
    assert all(found.right)
