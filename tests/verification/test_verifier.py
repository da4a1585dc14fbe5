"""A verification from its requests to its verdict."""

from dataclasses import replace

import numpy as np
import orjson
import pytest

from graphmind.verification.bounds import bounds_of
from graphmind.verification.history import Traffic
from graphmind.verification.options import Options
from graphmind.verification.verifier import Verifier
from graphmind.verification.words import (
    EXPOSED,
    METRICS,
    WRONG,
    Remedy,
    Unverifiable,
    Verdict,
)
from tests.verification.streams import BY_NAME, EXECUTED_MS, bounds, draw, history, traffic

FULL, NOTHING = BY_NAME["full recovery"], BY_NAME["no effect"]


def run(verifier, requests, *, seconds, every_s=2, begin_s=0):
    """Feed requests as they start; returns the readings."""
    left, found = list(requests), []
    for now_s in range(begin_s + every_s, seconds + 1, every_s):
        now_ms = EXECUTED_MS + now_s * 1000
        while left and left[0].start_ms <= now_ms:
            verifier.feed(left.pop(0))
        found.append(verifier.tick(now_ms))
    return found


def fresh(scenario=FULL, rate=60.0, options=None):
    return Verifier(bounds(scenario, rate, options), executed_ms=EXECUTED_MS)


def then(before, after, *, at_s, seconds):
    """Requests of one scenario, then of another, 100 a second."""
    end_ms = EXECUTED_MS + at_s * 1000
    later = draw(after, 1, rate=100, seconds=seconds)
    return [*draw(before, 0, rate=100, seconds=at_s), *(r for r in later if r.start_ms >= end_ms)]


def first(readings, verdict):
    return next(((r.at_ms - EXECUTED_MS) / 1000 for r in readings if r.verdict is verdict), None)


def test_a_recovery_is_seen_before_it_is_proven_and_confirmed_when_it_lasts():
    short = Options(watch_s=20)
    found = run(fresh(options=short), draw(FULL, 0, rate=60, seconds=120), seconds=120)

    recovering = next(r for r in found if r.recovering)
    effective = next(r for r in found if r.verdict is Verdict.EFFECTIVE)
    assert recovering.verdict is Verdict.OPEN
    assert recovering.at_ms < effective.at_ms
    assert recovering.eta_s is not None
    assert effective.remedy is Remedy.KEEP
    assert effective.since_ms == effective.at_ms
    assert effective.reasons[1].startswith("proven below")
    assert found[-1].verdict is Verdict.CONFIRMED


def test_a_repair_that_changes_nothing_is_offered_to_be_rolled_back():
    found = run(fresh(), draw(NOTHING, 0, rate=60, seconds=90), seconds=90, every_s=5)

    assert found[-1].verdict is Verdict.NONE
    assert found[-1].remedy is Remedy.OFFER_ROLL_BACK
    assert not any(reading.recovering for reading in found)


def test_harm_is_rolled_back_by_itself_and_named():
    worse = BY_NAME["harm: wrong 1>8%, F ok"]
    found = run(fresh(rate=100), draw(worse, 0, rate=100, seconds=90), seconds=90, every_s=5)

    assert found[-1].verdict is Verdict.HARMFUL
    assert found[-1].remedy is Remedy.ROLL_BACK
    assert found[-1].reasons[0] == "wrong of exposed requests is proven worse"


def test_late_harm_overrides_a_verdict():
    worse = replace(BY_NAME["harm: wrong 1>8%, F ok"], wrong=0.4)

    found = run(fresh(rate=100), then(FULL, worse, at_s=70, seconds=130), seconds=130, every_s=5)

    assert first(found, Verdict.EFFECTIVE) < 70 < first(found, Verdict.HARMFUL)


def test_a_relapse_reopens_the_incident_and_rolls_nothing_back():
    found = run(fresh(rate=100), then(FULL, NOTHING, at_s=70, seconds=110), seconds=110, every_s=5)

    assert first(found, Verdict.EFFECTIVE) < 70 < first(found, Verdict.RELAPSED) < 100
    assert found[-1].remedy is Remedy.REOPEN
    assert not found[-1].recovering


def test_a_disturbed_background_ends_inconclusive_and_says_so():
    told = draw(BY_NAME["full, all +5pp"], 0, rate=30, seconds=300)

    found = run(fresh(rate=30), told, seconds=300, every_s=20)

    assert found[-1].verdict is Verdict.INCONCLUSIVE
    assert any(reason.startswith("bystanders sick") for reason in found[-1].reasons)


def test_low_traffic_is_told_with_the_time_it_takes():
    found = run(fresh(rate=0.5), draw(FULL, 0, rate=0.5, seconds=1810), seconds=1810, every_s=30)

    etas = [reading.eta_s for reading in found[:50]]
    assert etas[0] == pytest.approx(876 / 0.15, rel=0.02)
    assert etas[-1] < etas[0]
    assert found[-1].verdict is Verdict.INCONCLUSIVE
    assert found[-1].reasons[0].startswith("low traffic: ")


def test_without_bystanders_harm_pages_and_the_rest_is_judged_with_room_for_drift():
    alone = Traffic(exposed=18, recipient=0, bystander=0)
    verifier = Verifier(bounds_of(history(), alone, Options()), executed_ms=EXECUTED_MS)
    worse = replace(FULL, exposed=lambda _: np.full(2, 0.8))

    found = run(
        verifier,
        [r for r in draw(worse, 0, rate=60, seconds=40) if r.group == EXPOSED],
        seconds=40,
    )

    assert found[-1].verdict is Verdict.HARMFUL
    assert found[-1].remedy is Remedy.PAGE


def test_a_small_control_says_so_and_is_not_compared_with():
    small = Traffic(exposed=18, recipient=0, bystander=1)
    scenario = BY_NAME["partial 18.7>6%"]
    for name, expected in (("no effect", Verdict.NONE), ("full recovery", Verdict.EFFECTIVE)):
        verifier = Verifier(bounds_of(history(), small, Options()), executed_ms=EXECUTED_MS)
        told = draw(BY_NAME[name], 0, rate=60, seconds=100)
        found = run(verifier, [r for r in told if r.group == EXPOSED], seconds=100, every_s=5)
        assert found[-1].verdict is expected
    verifier = Verifier(bounds_of(history(), small, Options()), executed_ms=EXECUTED_MS)
    told = draw(replace(scenario, exposed=lambda _: np.full(2, 0.035)), 0, rate=30, seconds=200)
    found = run(verifier, [r for r in told if r.group == EXPOSED], seconds=200, every_s=10)
    assert found[-1].verdict is Verdict.INCONCLUSIVE
    assert "control small: too few bystanders to compare with" in found[-1].reasons


def test_an_incident_of_wrong_answers_must_heal_in_answers():
    """No failure was ever sick: a repair that leaves the answers wrong must not pass for it."""
    past = replace(history(), incident={m: history().healthy[EXPOSED, m] for m in METRICS})
    past = replace(past, incident={**past.incident, WRONG: np.full(2, 0.3)})
    verdicts = {}
    for wrong in (0.01, 0.3):
        verifier = Verifier(bounds_of(past, traffic(60), Options()), executed_ms=EXECUTED_MS)
        scenario = replace(FULL, wrong=wrong)
        found = run(verifier, draw(scenario, 0, rate=60, seconds=120), seconds=120, every_s=5)
        verdicts[wrong] = found[-1].verdict

    assert verdicts == {0.01: Verdict.EFFECTIVE, 0.3: Verdict.NONE}


@pytest.mark.parametrize("cut_s", [5, 15, 50])
def test_a_verification_goes_on_after_a_restart_as_if_there_was_none(cut_s):
    told = then(FULL, NOTHING, at_s=40, seconds=60)
    straight, before = fresh(rate=100), fresh(rate=100)
    expected = run(straight, told, seconds=60, every_s=5)

    run(before, told, seconds=cut_s, every_s=5)
    resumed = Verifier.resumed(orjson.loads(orjson.dumps(before.document())))
    # What was told of before the restart is told of again: none of it counts twice.
    found = run(resumed, told, seconds=60, begin_s=cut_s, every_s=5)

    assert found == expected[cut_s // 5 :]
    assert resumed.document() == straight.document()


def test_a_document_of_another_version_is_refused():
    with pytest.raises(Unverifiable, match="begin it anew"):
        Verifier.resumed({"version": 0})


def test_a_request_of_an_unknown_stratum_is_refused():
    (request, *_) = draw(FULL, 0, rate=10, seconds=10)

    with pytest.raises(Unverifiable, match="expected a stratum of 0 to 1"):
        fresh().feed(replace(request, stratum=2))


def test_a_reading_is_json():
    reading = fresh().tick(EXECUTED_MS + 1000)

    document = orjson.loads(orjson.dumps(reading.document()))
    assert (document["verdict"], document["remedy"]) == ("open", "wait")
    assert document["numbers"]["exposed_n"] == 0
