import numpy as np

from graphmind.analysis.findings import Cause, Finding
from graphmind.analysis.fold import fold_channels


def cause(*items, channel, tied=()):
    return Cause(
        items=items,
        tied=tied,
        channel=channel,
        confidence=0.9,
        posterior=1.0,
        gain_nats=50.0,
        risk_ratio=10.0,
        risk_ratio_low=5.0,
        failed_with=10,
        failed_total=12,
        passed_with=5,
        passed_total=100,
        expected=1.0,
        q_value=0.0,
        onset_ns=0,
        until_ns=1,
        bounded=False,
        rivals=(),
    )


def finding(channel, *items, lost, traces=(), tied=()):
    return Finding(
        channels=(channel,),
        causes=(cause(*items, channel=channel, tied=tied),) if items else (),
        traces=np.array(traces, np.int64),
        examples=(),
        survivors=(),
        lost=lost,
    )


def folded(*findings):
    return [
        (f.channels, [c.items for c in f.causes], f.traces.tolist(), f.lost)
        for f in fold_channels(list(findings))
    ]


def test_two_channels_that_blame_one_item_are_one_finding_of_both():
    assert folded(
        finding("latency", 3, lost=5, traces=[2, 4]), finding("error", 3, lost=9, traces=[1, 2])
    ) == [(("error", "latency"), [(3,)], [1, 2, 4], 14)]


def test_a_tied_item_is_enough():
    assert folded(finding("error", 3, lost=9, tied=((7,),)), finding("latency", 7, lost=5)) == [
        (("error", "latency"), [(3,)], [], 14)
    ]


def test_findings_of_one_channel_stay_apart():
    assert (
        len(folded(finding("error", 3, lost=9), finding("error", 3, 4, lost=5, tied=((3,),)))) == 2
    )


def test_findings_that_blame_different_items_stay_apart_most_lost_first():
    assert [f[1] for f in folded(finding("error", 3, lost=5), finding("loop", 4, lost=9))] == [
        [(4,)],
        [(3,)],
    ]


def test_findings_without_causes_stay_apart():
    assert len(folded(finding("error", lost=9), finding("latency", lost=5))) == 2
