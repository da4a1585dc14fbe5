from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphmind.repair.states import State
from graphmind.repair.track_record import Record, records_of, verdict_of
from tests.repair.repairs import repair

VERDICTS = ("effective", "ineffective", "harmful", "inconclusive")
HISTORIES = st.lists(st.sampled_from(VERDICTS), max_size=12)


def ended(n, state, **changes):
    return repair(f"r{n}", state=state, requested_ms=n * 100_000, **changes)


def record(*verdicts):
    return Record(verdicts=verdicts)


def test_repairs_add_up_by_fingerprint_and_strategy():
    worked = [
        ended(n, State.SUCCEEDED, ended_ms=n * 100_000 + seconds * 1_000)
        for n, seconds in enumerate((10, 21, 30, 21))
    ]
    others = [
        ended(5, State.INEFFECTIVE),
        ended(6, State.INCONCLUSIVE),
        ended(7, State.HARMFUL, strategy="other@1"),
        ended(8, State.SUCCEEDED, fingerprint="f2"),
        ended(9, State.SUCCEEDED, mode="dry_run"),
        ended(10, State.RUNNING),
    ]

    found = records_of([*others, *worked])

    assert found.of("f1", "switch-model@3").words == "worked 4 of 5 times, median 21 s"
    assert found.of("f1", "other@1").words == "worked 0 of 1 times, 1 times harmful"
    assert found.of("f2", "other@1").words == "not tried before"
    assert found.anywhere("switch-model@3").worked == 5
    best = found.best("f1")
    assert best
    assert best[0] == "switch-model@3"
    assert found.best("f3") is None


@pytest.mark.parametrize(
    ("state", "verdict", "expected"),
    [
        (State.SUCCEEDED, "effective", "effective"),
        (State.INEFFECTIVE, "effective", "ineffective"),
        (State.ROLLED_BACK, "harmful", "harmful"),
        (State.ROLLED_BACK, "ineffective/partial", "ineffective"),
        (State.ROLLED_BACK, "partial", "ineffective"),
        (State.ROLLED_BACK, "", ""),
        (State.FAILED, "", ""),
        (State.VERIFYING, "recovering", ""),
    ],
)
def test_the_state_is_the_verdict_where_it_says_one(state, verdict, expected):
    assert verdict_of(repair(state=state, verdict=verdict)) == expected


@pytest.mark.parametrize(
    ("verdicts", "barred"),
    [
        ((), False),
        (("ineffective",) * 3, False),
        (("ineffective",) * 4, True),
        (("ineffective",) * 6 + ("effective",), False),
        (("ineffective",) * 7 + ("effective",), True),
        (("inconclusive",) * 9, False),
        (("effective",) * 9 + ("harmful",), True),
        (("effective",) * 9 + ("harmful", "effective", "inconclusive"), True),
        (("effective",) * 9 + ("harmful", "effective", "inconclusive", "effective"), False),
    ],
)
def test_a_bad_record_takes_the_automatic_right(verdicts, barred):
    assert bool(record(*verdicts).barred()) is barred


def test_a_strategy_that_failed_elsewhere_is_barred_here_too():
    failed = [replace(ended(n, State.INEFFECTIVE), fingerprint="f2") for n in range(4)]

    found = records_of(failed)

    assert found.barred("f1", "switch-model@3") == "it worked only 0 of 4 times"
    assert found.barred("f2", "switch-model@3").endswith("against this fingerprint")
    assert found.barred("f1", "other@1") == ""


@given(HISTORIES)
def test_the_score_is_a_share_that_success_raises_and_failure_lowers(verdicts):
    score = record(*verdicts).score

    assert 0 < score < 1
    assert record(*verdicts, "effective").score > score
    assert record(*verdicts, "ineffective").score < score
    assert record(*verdicts, "inconclusive").score == score


@given(HISTORIES)
def test_one_more_success_never_takes_the_automatic_right(verdicts):
    assert record(*verdicts).barred() or not record(*verdicts, "effective").barred()


@given(st.permutations([ended(n, State.SUCCEEDED, ended_ms=n * 100_001) for n in range(1, 5)]))
def test_the_order_of_the_repairs_makes_no_difference(repairs):
    assert records_of(repairs) == records_of(sorted(repairs, key=lambda each: each.repair_id))
