import numpy as np
import orjson
import pytest

from graphmind.verification.watch import Watch, above_threshold, grow
from graphmind.verification.words import FAILURE
from tests.verification.streams import bounds

BOUNDS = bounds()


def alarms(rate, *, exposed, runs, seconds=600):
    random = np.random.default_rng(0)
    grown = np.full((len(BOUNDS.toward_sick), runs), -np.inf)
    wide = bounds_of_runs()
    alarm = np.full(runs, np.inf)
    for second in range(1, seconds + 1):
        n = random.poisson(exposed * BOUNDS.history.mix[:, None], (2, runs))
        bad = random.binomial(n, np.reshape(rate, (-1, 1)))
        grown = grow(grown, n.astype(float), bad.astype(float), wide)
        alarm = np.where(above_threshold(grown, wide) >= 0, np.minimum(alarm, second), alarm)
    return alarm


def bounds_of_runs():
    from dataclasses import replace

    return replace(BOUNDS, healthy={m: b[:, None] for m, b in BOUNDS.healthy.items()})


def test_a_relapse_is_soon_noticed_and_health_seldom_mistaken_for_one():
    sick = alarms(BOUNDS.history.incident[FAILURE], exposed=6, runs=100)
    bound = alarms(BOUNDS.healthy[FAILURE], exposed=6, runs=400)

    assert np.median(sick) <= 12
    assert np.isfinite(bound).mean() <= 0.01


def test_a_watch_takes_one_step_a_second_however_often_it_is_asked():
    often, seldom = Watch(BOUNDS), Watch(BOUNDS)
    for tenth in range(50):
        for watch in (often, seldom):
            watch.count(0, bad=tenth % 5 == 0)
        often.step(tenth // 10 + (tenth % 10) / 10)
        if tenth % 10 == 0:
            seldom.step(tenth // 10)

    assert often.evidence == pytest.approx(seldom.evidence)


def test_a_watch_survives_json():
    watch = Watch(BOUNDS)
    watch.count(0, bad=True)
    other = Watch(BOUNDS)
    other.restore(orjson.loads(orjson.dumps(watch.document())))

    for one in (watch, other):
        one.step(1.0)
    assert other.evidence == watch.evidence > -np.inf
