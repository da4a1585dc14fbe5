"""The simulation of the benchmark counts as the product does."""

import numpy as np
import pytest

from benchmarks.verification.scenarios import MIX, SCENARIOS
from benchmarks.verification.simulation import OFFSETS, Batch, Side, history, simulate, traffic
from benchmarks.verification.table import cell, distance
from graphmind.verification.bounds import bounds_of
from graphmind.verification.counting import Matured, Tally
from graphmind.verification.options import Options
from graphmind.verification.words import FAILURE, GROUPS, TREATED, Verdict

SCENARIO = SCENARIOS[1]
PAST = history(SCENARIO.usual(), SCENARIO.incident(), 16)


def test_a_batch_counts_and_pairs_as_the_product_does():
    bounds = bounds_of(PAST, traffic(10), Options())
    batch = Batch(SCENARIO.rates, bounds, rate=10, seconds=60, runs=2, seed=[0])
    for now_s in range(0, 75, 2):
        batch.mature(now_s)
    side, tally = Side([batch]), Tally(strata=len(MIX), options=Options())
    for start_s, group, stratum, bad in batch.drawn(FAILURE, run=1):
        tally.add(Matured(metric=FAILURE, group=group, stratum=stratum, start_s=start_s, bad=bad))

    for since_s in OFFSETS:
        for group in GROUPS:
            ours = np.array(tally.stream(group, FAILURE, since_s))
            assert (np.array(side.stream(group, FAILURE, since_s))[:, :, 1] == ours).all()
        for group in TREATED:
            pairs = np.array(tally.pairs(group, FAILURE, since_s))
            assert (np.array(side.pairs(group, FAILURE, since_s))[:, :, 1] == pairs).all()


def test_a_cell_is_written_and_compared_as_the_design_writes_it():
    outcome = simulate(SCENARIO.rates, PAST, rate=200, runs=16, seed=0)

    assert set(outcome.verdict) == {Verdict.NONE}
    assert cell(outcome).startswith("N100, 4")
    assert distance(outcome, "N100, 44/48") <= 0
    assert distance(outcome, "E99 I1, 25/38") > 3


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.name)
def test_every_scenario_has_rates_and_the_designs_cells(scenario):
    for group in GROUPS:
        for at_s in (0.5, 30, 1000):
            for rate in scenario.rates(group, at_s).values():
                assert ((rate >= 0) & (rate < 1)).all()
    assert all("," in design for design in scenario.design)
