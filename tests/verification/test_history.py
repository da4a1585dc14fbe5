import numpy as np
import orjson
import pytest

from graphmind.verification.history import History, history_of, traffic_of, waiting_s
from graphmind.verification.options import Options
from graphmind.verification.request import Attempt, RootRequest
from graphmind.verification.words import (
    BYSTANDER,
    EXPOSED,
    FAILURE,
    METRICS,
    RECIPIENT,
    SLOW,
    Unverifiable,
)
from tests.verification.streams import history

OPTIONS = Options()


def requests(group, stratum, n, *, failed=0, start_ms=0):
    return [
        RootRequest(
            request_id=f"{group}-{stratum}-{k}",
            group=group,
            stratum=stratum,
            slow_ms=1000.0,
            attempts=(Attempt(start_ms=start_ms, end_ms=start_ms + 500, failed=k < failed),),
        )
        for k in range(n)
    ]


def test_rates_are_measured_by_group_and_stratum():
    healthy = [*requests(EXPOSED, 0, 100, failed=1), *requests(BYSTANDER, 0, 50, failed=2)]
    incident = requests(EXPOSED, 0, 40, failed=10)

    found = history_of(healthy, incident, strata=1, options=OPTIONS)

    assert found.healthy[EXPOSED, FAILURE].tolist() == [0.01]
    assert found.healthy[BYSTANDER, FAILURE].tolist() == [0.04]
    assert found.healthy[RECIPIENT, FAILURE].tolist() == [0.02]  # None of its own: all of them.
    assert found.incident[FAILURE].tolist() == [0.25]
    assert found.incident[SLOW].tolist() == [0.0]
    assert (found.incident_n.tolist(), found.healthy_n.tolist()) == ([40.0], [150.0])


def test_a_stratum_without_requests_takes_the_rate_of_all():
    healthy = [*requests(EXPOSED, 0, 100, failed=10), *requests(EXPOSED, 1, 100)]
    incident = requests(EXPOSED, 0, 40, failed=10)

    found = history_of(healthy, incident, strata=3, options=OPTIONS)

    assert found.healthy[EXPOSED, FAILURE].tolist() == [0.1, 0.0, 0.05]
    assert found.incident[FAILURE].tolist() == [0.25, 0.25, 0.25]
    assert found.mix.sum() == 1


def test_a_history_without_an_incident_is_refused():
    with pytest.raises(Unverifiable, match="take a longer window"):
        history_of(requests(EXPOSED, 0, 5), [], strata=1, options=OPTIONS)


def test_a_thin_history_says_so():
    found = history_of(
        requests(EXPOSED, 0, 30), requests(EXPOSED, 0, 20, failed=9), strata=1, options=OPTIONS
    )

    assert [doubt.split(";")[0] for doubt in found.doubts()] == [
        "a stratum has 30 healthy requests",
        "a stratum has 20 exposed requests of the incident",
    ]


def test_a_history_survives_json():
    past = history()

    found = History.of(orjson.loads(orjson.dumps(past.document())))

    assert all((found.incident[m] == past.incident[m]).all() for m in METRICS)
    assert all((found.healthy[key] == rate).all() for key, rate in past.healthy.items())
    assert np.array_equal(found.mix, past.mix)


def test_the_wait_covers_the_time_to_symptom_within_a_limit():
    assert waiting_s([], OPTIONS) == 10
    assert waiting_s([3.0] * 99 + [500.0], OPTIONS) == 10
    assert waiting_s([14.0] * 100, OPTIONS) == 14
    assert waiting_s([400.0] * 100, OPTIONS) == 60


def test_traffic_is_counted_by_group():
    found = traffic_of([*requests(EXPOSED, 0, 30), *requests(BYSTANDER, 0, 60)], seconds=10)

    assert (found.exposed, found.recipient, found.bystander) == (3.0, 0.0, 6.0)
