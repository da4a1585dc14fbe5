"""The figures of the reference implementation: bounds, evidence, counts and verdicts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphmind.verification.bounds import bounds_of
from graphmind.verification.evidence import Pairs, Stream, anchored, log_e, log_pair, wilson
from graphmind.verification.history import History, Traffic
from graphmind.verification.options import Options
from graphmind.verification.rule import decide, read
from graphmind.verification.verifier import Verifier
from graphmind.verification.words import FAILURE, GROUPS, METRICS, SLOW, TREATED, WRONG, Verdict
from tests.verification.reference import (
    CODES,
    LETTERS,
    SHORT,
    counted,
    reference_module,
    reference_plan,
)
from tests.verification.streams import BY_NAME, EXECUTED_MS, bounds, draw, history, traffic

OPTIONS = Options()
QUICK = ("full recovery", "no effect", "harm: wrong 1>8%, F ok", "delayed 10 s, full")
rates = st.floats(0.001, 0.6)


@settings(max_examples=40, deadline=None)
@given(
    n=st.lists(st.integers(0, 500), min_size=2, max_size=2),
    share=rates,
    bound=st.tuples(rates, rates),
    expected=rates,
)
def test_evidence_of_a_stream_is_the_references(n, share, bound, expected):
    module = reference_module()
    bad = [int(share * count) for count in n]
    mean = sum(bound) / 2

    ours = log_e(
        Stream(np.array(n), np.array(bad)),
        np.array(bound),
        anchored(np.array(expected), np.array(mean), OPTIONS.odds_down),
    )
    theirs = module.log_e(n, bad, bound, module.anchored(expected, mean, module.OR_DN))

    assert ours == pytest.approx(theirs, abs=1e-9)
    assert OPTIONS.odds_down == module.OR_DN
    assert OPTIONS.odds_up == module.OR_UP
    assert OPTIONS.pair_bets == module.LAMBDA


@settings(max_examples=40, deadline=None)
@given(
    counts=st.lists(st.tuples(*[st.integers(0, 200)] * 3), min_size=2, max_size=2),
    difference=st.tuples(st.floats(-0.9, 0.9), st.floats(-0.9, 0.9)),
)
def test_evidence_of_pairs_is_the_references(counts, difference):
    module = reference_module()
    only_own, only_control = ([c[i] for c in counts] for i in (0, 1))
    n = [sum(c) for c in counts]

    ours = log_pair(
        Pairs(np.array(n), np.array(only_own), np.array(only_control)),
        np.array(difference),
        OPTIONS.pair_bets,
    )
    theirs = module.log_pair(n, only_own, only_control, [np.array(d) for d in difference])

    assert ours == pytest.approx(float(theirs), abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(rate=st.floats(0, 1), n=st.integers(1, 10_000))
def test_wilson_limits_are_the_references(rate, n):
    module = reference_module()

    for z in (2.33, -2.33):
        ours = wilson(np.array(rate), np.array(n), z)
        assert ours == pytest.approx(module.wilson(rate, n, z), abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(
    usual=st.lists(st.floats(0.0005, 0.3), min_size=6, max_size=6),
    excess=st.lists(st.floats(0.05, 0.5), min_size=2, max_size=2),
    n=st.integers(50, 5000),
    exposed=st.floats(0.2, 100),
    others=st.tuples(st.floats(0, 2), st.floats(0.01, 2)),
)
def test_bounds_are_the_references(usual, excess, n, exposed, others):
    """Of an incident of failures; a metric that is usual in it is the same in the incident."""
    module = reference_module()
    by_metric = dict.fromkeys(METRICS, np.array(usual[:2])) | {SLOW: np.array(usual[2:4])}
    by_metric |= {WRONG: np.array(usual[4:])}
    past = History(
        healthy={(group, metric): by_metric[metric] for group in GROUPS for metric in METRICS},
        incident=by_metric | {FAILURE: np.minimum(by_metric[FAILURE] + excess, 0.95)},
        healthy_n=np.full(2, 20_000.0),
        incident_n=np.full(2, float(n)),
        mix=np.array([0.6, 0.4]),
    )
    expected = Traffic(
        exposed=exposed, recipient=others[0] * exposed, bystander=others[1] * exposed
    )

    ours, plan = bounds_of(past, expected, OPTIONS), reference_plan(module, past, expected)

    assert ours.primary == FAILURE
    for metric in (FAILURE, SLOW):
        assert ours.healthy[metric] == pytest.approx(plan.b[SHORT[metric]])
        assert ours.sick[metric] == plan.sick[SHORT[metric]]
    assert ours.nothing[FAILURE] == pytest.approx(plan.none)
    for group in TREATED:
        for metric in METRICS:
            harm = plan.h[LETTERS[group], SHORT[metric]]
            assert ours.harm[group, metric] == pytest.approx(harm)
    assert (ours.recipients_guard, ours.control_usable) == (plan.r_ok, plan.b_ok)
    assert ours.needed == pytest.approx(plan.n_need)
    assert ours.deadline_s == pytest.approx(plan.deadline)
    # An incident below the bound of health: the reference would bet on a fall, we do not bet.
    odds = [max(float(odds), 1.0) for odds, _ in plan.g_inf]
    assert [float(bet.odds) for bet in ours.toward_sick] == pytest.approx(odds)


class Drawn:
    """Counts as hypothesis drew them, for both."""

    def __init__(self, seed, scale):
        random = np.random.default_rng(seed)
        n = {group: random.integers(0, scale, 2) for group in LETTERS.values()}
        self.rate = {
            (g, m): random.choice([0.0, 0.01, 0.1, 0.4]) for g in n for m in SHORT.values()
        }
        self.streams, self.paired = {}, {}
        for since in OPTIONS.offsets_s:
            share = max(1 - since / 150, 0)
            for (group, metric), rate in self.rate.items():
                held = (n[group] * share).astype(int)
                bad = random.binomial(held, rate)
                self.streams[group, metric, int(since)] = (held, bad)
                other = random.binomial(held, self.rate["B", metric])
                both = random.binomial(np.minimum(bad, other), 0.1)
                only_own = np.minimum(bad - both, held // 2)
                only_control = np.minimum(other - both, held // 2)
                self.paired[group, metric, int(since)] = (held, only_own, only_control)

    def stream(self, group, metric, since_s):
        return Stream(*self.streams[LETTERS[group], SHORT[metric], int(since_s)])

    def pairs(self, group, metric, since_s):
        return Pairs(*self.paired[LETTERS[group], SHORT[metric], int(since_s)])


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    scale=st.sampled_from([30, 300, 3000]),
    bystanders=st.sampled_from([0.1, 0.5, 1.3]),
    elapsed_s=st.sampled_from([20, 89, 90, 500, 2000]),
)
def test_signals_and_verdicts_are_the_references(seed, scale, bystanders, elapsed_s):
    module = reference_module()
    expected = Traffic(exposed=6.0, recipient=6.0, bystander=6.0 * bystanders)
    past, counts = history(), Drawn(seed, scale)
    plan, ours = reference_plan(module, past, expected), bounds_of(past, expected, OPTIONS)

    theirs = module.signals(
        lambda g, m, s: list(map(list, counts.streams[g, m, int(s)])),
        lambda g, m, s: list(map(list, counts.paired[g, m, int(s)])),
        plan,
    )
    signals = read(counts, ours)

    assert signals.harmful == pytest.approx(theirs["harm_max"], abs=1e-6)
    assert signals.effective == pytest.approx(theirs["eff"], abs=1e-6)
    assert signals.none == pytest.approx(theirs["none"], abs=1e-6)
    assert signals.partial == pytest.approx(theirs["unhealthy"], abs=1e-6)
    assert bool(signals.mostly_left) == (not theirs["low"])
    verdict = CODES[int(module.verdict(theirs, elapsed_s, plan))]
    assert decide(signals, elapsed_s, ours).item() == verdict


def same_course(name, seed, *, rate, seconds, every_s):
    """Both verifiers on one stream; returns the verdicts met."""
    module, scenario = reference_module(), BY_NAME[name]
    past, expected = history(scenario), traffic(rate)
    theirs = module.Verifier(0.0, reference_plan(module, past, expected), strata=2)
    ours = Verifier(bounds(scenario, rate), executed_ms=EXECUTED_MS)
    requests = draw(scenario, seed, rate=rate, seconds=seconds)
    met: list[Verdict] = []
    for now_s in range(0, int(seconds), every_s):
        while requests and requests[0].start_ms <= EXECUTED_MS + now_s * 1000:
            request = requests.pop(0)
            (attempt,) = request.attempts
            assert attempt.end_ms is not None
            start_s = (request.start_ms - EXECUTED_MS) / 1000
            theirs.add(
                request.request_id,
                start_s,
                LETTERS[request.group],
                request.stratum,
                request.slow_ms / 1000,
            )
            end_s = (attempt.end_ms - EXECUTED_MS) / 1000
            theirs.done(request.request_id, end_s, attempt.failed, attempt.wrong_ms is not None)
            ours.feed(request)
        state, _ = theirs.tick(now_s)
        reading = ours.tick(EXECUTED_MS + now_s * 1000)
        assert reading.verdict == CODES[state], now_s
        met += [] if met[-1:] == [reading.verdict] else [reading.verdict]
    for group in GROUPS:
        for metric in METRICS:
            for since in OPTIONS.offsets_s:
                found = np.array(ours._tally.stream(group, metric, since))
                assert (found == counted(theirs, "stream", group, metric, since)).all()
                if group in TREATED:
                    found = np.array(ours._tally.pairs(group, metric, since))
                    assert (found == counted(theirs, "pairs", group, metric, since)).all()
    return met


@pytest.mark.parametrize("name", QUICK)
def test_counts_and_verdicts_go_the_references_way(name):
    met = same_course(name, 1, rate=80, seconds=90, every_s=6)

    assert len(met) > 1


@pytest.mark.slow
@pytest.mark.parametrize("name", BY_NAME)
def test_every_scenario_goes_the_references_way(name):
    met = same_course(name, 20, rate=20, seconds=410, every_s=10)

    assert met[-1] is not Verdict.OPEN
