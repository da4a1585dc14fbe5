import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphmind.verification.request import Attempt, RootRequest
from graphmind.verification.words import (
    EXPOSED,
    FAILURE,
    FAST_FAILURE,
    METRICS,
    SLOW,
    WRONG,
    Unverifiable,
)

times = st.integers(0, 30_000)
attempts = st.builds(
    Attempt,
    start_ms=times,
    end_ms=st.none() | times,
    failed=st.booleans(),
    wrong_ms=st.none() | times,
    branch=st.sampled_from(["", "a", "b"]),
)


def request(*attempts, slow_ms=1000.0):
    return RootRequest(request_id="r", group=EXPOSED, stratum=0, slow_ms=slow_ms, attempts=attempts)


def bad(one, at_ms):
    return {metric for metric in METRICS if one.outcome(metric, at_ms)}


@pytest.mark.parametrize(
    ("attempt", "expected"),
    [
        (Attempt(start_ms=0, end_ms=900), set()),
        (Attempt(start_ms=0, end_ms=1500), {SLOW}),
        (Attempt(start_ms=0), {FAILURE, SLOW}),
        (Attempt(start_ms=0, end_ms=10_001), {FAILURE, SLOW}),
        (Attempt(start_ms=0, end_ms=900, failed=True), {FAST_FAILURE, FAILURE}),
        (Attempt(start_ms=0, end_ms=900, wrong_ms=9000), {WRONG}),
        (Attempt(start_ms=0, end_ms=900, wrong_ms=10_001), set()),
    ],
)
def test_one_attempt_is_judged_as_known_when_it_counts(attempt, expected):
    assert bad(request(attempt), 10_000) == expected


def test_a_retry_that_ends_well_makes_its_request_good():
    found = request(Attempt(start_ms=0, end_ms=300, failed=True), Attempt(start_ms=400, end_ms=800))

    assert bad(found, 10_000) == set()


def test_retries_that_fail_are_one_failure_and_what_comes_later_is_not_known_yet():
    found = request(*(Attempt(start_ms=k, end_ms=k + 1, failed=True) for k in range(0, 9, 3)))

    assert bad(found, 10_000) == {FAST_FAILURE, FAILURE}
    retried = request(Attempt(start_ms=0, end_ms=300, failed=True), Attempt(start_ms=2500))
    assert bad(retried, 2000) == {FAST_FAILURE, FAILURE}


def test_every_branch_of_a_fan_out_must_end_well():
    well = Attempt(start_ms=0, end_ms=500, branch="a")

    assert bad(request(well, Attempt(start_ms=0, branch="b")), 10_000) == {FAILURE, SLOW}
    failed = Attempt(start_ms=0, end_ms=600, failed=True, branch="b")
    assert FAILURE in bad(request(well, failed), 10_000)


@given(st.lists(attempts, min_size=1, max_size=5, unique_by=lambda a: a.start_ms), times)
def test_the_order_in_which_attempts_are_told_is_of_no_consequence(told, at_ms):
    assert bad(request(*told), at_ms) == bad(request(*reversed(told)), at_ms)


@given(st.lists(attempts, min_size=1, max_size=5), times)
def test_a_request_survives_json(told, at_ms):
    one = request(*told)

    assert RootRequest.of(orjson.loads(orjson.dumps(one.document()))) == one


def test_a_request_without_attempts_is_refused():
    with pytest.raises(Unverifiable, match="an attempt at least"):
        request()
