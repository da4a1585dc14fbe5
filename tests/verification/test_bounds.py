from dataclasses import replace

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphmind.verification.bounds import bounds_of
from graphmind.verification.history import Traffic
from graphmind.verification.options import Options
from graphmind.verification.words import (
    CURABLE,
    EXPOSED,
    FAILURE,
    GROUPS,
    METRICS,
    RECIPIENT,
    SLOW,
    TREATED,
    WRONG,
)
from tests.verification.streams import bounds, history, traffic

OPTIONS = Options()
TRAFFIC = traffic(20)


def with_rates(metric, *, usual, incident):
    past = history()
    healthy = {(g, metric): np.full(2, usual) for g in GROUPS}
    return replace(
        past,
        healthy={**past.healthy, **healthy},
        incident={**past.incident, metric: np.full(2, incident)},
    )


def test_bounds_of_the_designs_example():
    past = with_rates(FAILURE, usual=0.008, incident=0.187)

    found = bounds_of(past, TRAFFIC, OPTIONS)

    assert found.healthy[FAILURE] == pytest.approx(0.0259, abs=1e-4)
    assert found.nothing[FAILURE] == pytest.approx(0.0935)
    assert float(found.deadline_s) == pytest.approx(392, abs=1)
    assert found.harm[RECIPIENT, FAILURE] == pytest.approx(0.028)
    assert (found.harm[EXPOSED, FAILURE] > 0.187 * 1.25).all()


@pytest.mark.parametrize(
    ("usual", "incident", "margin"),
    [(0.001, 0.02, 0.01), (0.001, 0.9, 0.03), (0.2, 0.9, 0.2), (0.008, 0.158, 0.015)],
)
def test_a_tenth_of_the_excess_may_be_left_within_limits(usual, incident, margin):
    found = bounds_of(with_rates(FAILURE, usual=usual, incident=incident), TRAFFIC, OPTIONS)

    assert found.healthy[FAILURE] == pytest.approx(usual + margin)


@pytest.mark.parametrize("metric", CURABLE)
def test_an_incident_is_about_its_first_sick_metric(metric):
    past = replace(history(), incident={m: history().healthy[EXPOSED, m] for m in METRICS})
    past = replace(past, incident={**past.incident, metric: np.full(2, 0.3)})

    found = bounds_of(past, TRAFFIC, OPTIONS)

    assert found.primary == metric
    assert {m for m in CURABLE if found.sick[m]} == {metric}


def test_deadlines_stay_within_their_limits():
    past = history()
    silent, busy = Traffic(exposed=0, recipient=0, bystander=0), traffic(5000)

    assert float(bounds_of(past, silent, OPTIONS).deadline_s) == 1800
    assert float(bounds_of(past, busy, OPTIONS).deadline_s) == 180


@given(usual=st.floats(0, 1), incident=st.floats(0, 1), metric=st.sampled_from(CURABLE))
def test_any_history_gives_usable_bounds(usual, incident, metric):
    found = bounds_of(with_rates(metric, usual=usual, incident=incident), TRAFFIC, OPTIONS)

    for m in CURABLE:
        assert ((found.healthy[m] > 0) & (found.healthy[m] <= found.nothing[m])).all()
    for group in TREATED:
        assert all((found.harm[group, m] <= 0.98).all() for m in METRICS)
    assert 180 <= float(found.deadline_s) <= 1800
    assert all(float(bet.odds) <= 1 for m in CURABLE for bet in found.toward_healthy[m])
    assert all(float(bet.odds) >= 1 for bet in found.toward_sick)


def test_runs_side_by_side_have_the_bounds_of_each_alone():
    one = history()
    wide = replace(
        one,
        healthy={key: np.stack([rate, rate], axis=1) for key, rate in one.healthy.items()},
        incident={m: np.stack([rate, rate / 2], axis=1) for m, rate in one.incident.items()},
        incident_n=one.incident_n[:, None],
    )

    found = bounds_of(wide, TRAFFIC, OPTIONS)

    for metric in (FAILURE, SLOW, WRONG):
        assert found.healthy[metric][:, 0] == pytest.approx(bounds().healthy[metric])
    assert found.deadline_s[0] == pytest.approx(float(bounds().deadline_s))


def test_options_survive_json():
    changed = Options(wait_s=15, harm_starts=((2, 1.0),))

    assert Options.of(orjson.loads(orjson.dumps(changed.document()))) == changed
    assert sum(share for *_, share in OPTIONS.harm_shares) == pytest.approx(1)
    for starts in (OPTIONS.effective_starts, OPTIONS.harm_starts):
        assert sum(weight for _, weight in starts) == pytest.approx(1)
