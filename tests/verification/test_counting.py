from dataclasses import replace

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphmind.verification.counting import Matured, Ripening, Tally
from graphmind.verification.options import Options
from graphmind.verification.request import Attempt, RootRequest
from graphmind.verification.words import (
    BYSTANDER,
    EXPOSED,
    FAILURE,
    FAST_FAILURE,
    GROUPS,
    METRICS,
    RECIPIENT,
    TREATED,
    WRONG,
)
from tests.verification.streams import BY_NAME, EXECUTED_MS, draw

OPTIONS = Options()


def request(start_s, *, group=EXPOSED, end_s=None, name="r"):
    start_ms = EXECUTED_MS + round(start_s * 1000)
    end_ms = None if end_s is None else EXECUTED_MS + round(end_s * 1000)
    return RootRequest(
        request_id=name,
        group=group,
        stratum=0,
        slow_ms=1000.0,
        attempts=(Attempt(start_ms=start_ms, end_ms=end_ms),),
    )


def ripening():
    return Ripening(executed_ms=EXECUTED_MS, options=OPTIONS)


def due(held, now_s):
    return list(held.due(EXECUTED_MS + round(now_s * 1000)))


def matured(group, start_s, *, bad=False):
    return Matured(metric=FAILURE, group=group, stratum=0, start_s=start_s, bad=bad)


def tally_of(*ones):
    tally = Tally(strata=1, options=OPTIONS)
    for one in ones:
        tally.add(one)
    return tally


def counts(pairs):
    return tuple(int(each.sum()) for each in pairs)


def test_a_request_counts_at_its_start_plus_the_wait_and_not_before():
    held = ripening()
    held.feed(request(5))

    assert due(held, 6.9) == []
    assert [one.metric for one in due(held, 7)] == [FAST_FAILURE]
    assert due(held, 14.9) == []
    assert {one.metric for one in due(held, 15)} == {*METRICS} - {FAST_FAILURE}
    assert len(held) == 0


def test_what_is_known_after_it_counts_changes_nothing():
    held = ripening()
    held.feed(request(5))
    held.feed(request(5, end_s=15.001))

    assert [one.bad for one in due(held, 15) if one.metric == FAILURE] == [True]


def test_news_of_a_request_that_waits_replace_what_was_known():
    held = ripening()
    held.feed(request(5))
    held.feed(replace(request(5, end_s=6), group=BYSTANDER))

    assert [(one.bad, one.group) for one in due(held, 15) if one.metric == FAILURE] == [
        (False, EXPOSED)
    ]


def test_requests_of_the_grace_and_those_told_of_too_late_are_dropped():
    held = ripening()

    assert not held.feed(request(1.9))
    due(held, 200)
    assert not held.feed(request(79, name="late"))
    assert held.feed(request(81, name="in time"))


def test_a_request_told_of_again_counts_once():
    held = ripening()
    held.feed(request(5))
    first = due(held, 15)
    held.feed(request(5, end_s=6))

    assert (len(first), due(held, 16)) == (4, [])


def test_memory_is_bounded_by_the_traffic_of_a_while():
    held = ripening()
    tally = Tally(strata=1, options=OPTIONS)
    for second in range(2, 1000):
        held.feed(request(second, group=BYSTANDER, name=str(second)))
        for one in due(held, second):
            tally.add(one)

    document = held.document()
    assert len(document["open"]) <= OPTIONS.wait_s
    assert len(document["counted"]) <= OPTIONS.late_max_s
    waiting = [control for *_, control in tally.document()["unpaired"]]
    assert max(map(len, waiting)) <= OPTIONS.apart_s + 1


def test_a_wrong_answer_waits_for_its_evaluator():
    slow = Options(evaluator_delay_s=60)
    held = Ripening(executed_ms=EXECUTED_MS, options=slow)
    held.feed(request(5, end_s=6))

    assert WRONG not in {one.metric for one in due(held, 64.9)}
    assert [one.metric for one in due(held, 65)] == [WRONG]


def test_pairs_are_made_first_come_first_served_within_five_seconds():
    tally = tally_of(
        matured(EXPOSED, 3.0, bad=True),
        matured(EXPOSED, 6.0),
        matured(BYSTANDER, 8.5, bad=True),  # The first waits too long: this pairs with the second.
        matured(BYSTANDER, 9.0),
        matured(EXPOSED, 14.0, bad=True),  # The bystander is 5 s old: still paired.
    )

    assert counts(tally.pairs(EXPOSED, FAILURE, 2.0)) == (2, 1, 1)
    assert counts(tally.pairs(EXPOSED, FAILURE, 12.0)) == (0, 0, 0)
    assert counts(tally.stream(EXPOSED, FAILURE, 12.0)) == (1, 1)


def test_a_bystander_is_a_control_of_exposed_and_recipients_alike():
    tally = tally_of(
        matured(BYSTANDER, 3.0), matured(EXPOSED, 3.1, bad=True), matured(RECIPIENT, 3.2)
    )

    assert counts(tally.pairs(EXPOSED, FAILURE, 2.0)) == (1, 1, 0)
    assert counts(tally.pairs(RECIPIENT, FAILURE, 2.0)) == (1, 0, 0)


def test_one_that_comes_late_is_paired_only_with_who_started_about_then():
    tally = tally_of(matured(BYSTANDER, 20.0), matured(EXPOSED, 14.0), matured(EXPOSED, 16.0))

    assert counts(tally.pairs(EXPOSED, FAILURE, 2.0)) == (1, 0, 0)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), shuffle=st.integers(0, 2**32 - 1))
def test_the_order_in_which_requests_are_told_before_they_count_is_of_no_consequence(seed, shuffle):
    told = draw(BY_NAME["no effect"], seed, rate=10, seconds=20)
    shuffled = np.random.default_rng(shuffle).permutation(len(told))

    straight, mixed = ripening(), ripening()
    for one in told:
        straight.feed(one)
    for k in shuffled:
        mixed.feed(told[k])

    assert due(straight, 25) == due(mixed, 25)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), cut_s=st.integers(3, 40))
def test_counts_go_on_after_a_way_through_json(seed, cut_s):
    told = draw(BY_NAME["no effect"], seed, rate=10, seconds=40)
    held, tally = ripening(), Tally(strata=2, options=OPTIONS)
    other, other_tally = held, tally
    for now_s in range(1, 52):
        if now_s == cut_s:
            other, other_tally = ripening(), Tally(strata=2, options=OPTIONS)
            other.restore(orjson.loads(orjson.dumps(held.document())))
            other_tally.restore(orjson.loads(orjson.dumps(tally.document())))
        for one in told:
            if now_s - 1 <= (one.start_ms - EXECUTED_MS) / 1000 < now_s:
                held.feed(one)
                other.feed(one)
        ours = due(held, now_s)
        theirs = due(other, now_s) if other is not held else []
        for one in ours:
            tally.add(one)
        for one in theirs:
            other_tally.add(one)

    assert other_tally.document() == tally.document()
    assert other.document() == held.document()
    paired = [tally.pairs(g, m, 2.0).n.sum() for g in TREATED for m in METRICS]
    assert min(paired) > 0


@pytest.mark.parametrize("group", GROUPS)
def test_every_group_is_counted(group):
    tally = tally_of(matured(group, 3.0, bad=True))

    assert counts(tally.stream(group, FAILURE, 2.0)) == (1, 1)
