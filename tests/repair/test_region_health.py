"""Health of regions from facts, incidents and counts."""

import numpy as np
import pyarrow as pa

from graphmind.repair.region_health import (
    Bounds,
    Health,
    Naming,
    Traffic,
    judge,
    namings_of,
    traffic_of,
)
from graphmind.telemetry.facts import ACCESSES, ITEMS, SYMPTOMS, TRACES, Facts

MS_NS = 1_000_000


def facts(rows):
    """Rows: trace id, start in ms, outcome, failing, weight, regions."""
    return Facts(
        traces=pa.Table.from_pylist(
            [
                {"trace_id": one, "start_ns": at * MS_NS, "outcome": outcome, "weight": weight}
                for one, at, outcome, _, weight, _ in rows
            ],
            schema=TRACES,
        ),
        symptoms=pa.Table.from_pylist(
            [
                {"trace_id": one, "kind": kind, "channel": "failed" if fails else None}
                for one, _, _, fails, _, _ in rows
                for kind in ("error", "hang")
            ],
            schema=SYMPTOMS,
        ),
        items=pa.Table.from_pylist(
            [
                {"trace_id": one, "kind": kind, "name": name, "first_ns": 0}
                for one, _, _, _, _, regions in rows
                for kind, name in [("agent", "eu"), *(("region", name) for name in regions)]
            ],
            schema=ITEMS,
        ),
        accesses=ACCESSES.empty_table(),
    )


def test_traces_are_counted_by_region_with_their_weights():
    found = traffic_of(
        facts(
            [
                ("a", 1, "ok", False, 10.0, ["eu"]),
                ("b", 2, "failed", True, 1.0, ["eu", "us"]),
                ("c", 3, "incomplete", True, 1.0, ["eu"]),
                ("d", 3, "ok", False, 1.0, []),
            ]
        )
    )

    assert found == [
        Traffic(region="eu", traces=11.0, failing=1.0),
        Traffic(region="us", traces=1.0, failing=1.0),
    ]


def test_what_started_before_a_region_was_changed_does_not_count():
    rows = [("a", 1, "failed", True, 1.0, ["eu", "us"]), ("b", 9, "ok", False, 1.0, ["eu", "us"])]

    assert traffic_of(facts(rows), {"eu": 5}) == [
        Traffic(region="eu", traces=1.0, failing=0.0),
        Traffic(region="us", traces=2.0, failing=1.0),
    ]


def test_there_may_be_no_traces():
    assert traffic_of(facts([])) == []


def incident(*items, state="open"):
    all_of = [{"kind": kind, "name": name} for kind, name in items]
    cause = {"label": "x", "confidence": 0.9, "all_of": all_of}
    return {"incident_id": "inc-1", "state": state, "causes": [cause] if items else []}


def test_incidents_name_regions_alone_or_in_a_conjunction():
    found = namings_of(
        [
            incident(("region", "eu")),
            incident(("model_version", "m@1"), ("region", "us")),
            incident(("region", "ap"), state="closed"),
            incident(("agent", "eu")),
            incident(),
        ]
    )

    assert [(each.region, each.alone) for each in found] == [("eu", True), ("us", False)]


def health(own, other, *, alone=None):
    traffic = [
        Traffic(region="eu", traces=own[0], failing=own[1]),
        Traffic(region="us", traces=other[0], failing=other[1]),
    ]
    named = [
        Naming(region="eu", incident_id="i", label="x", confidence=0.9, alone=alone)
        for _ in range(alone is not None)
    ]
    return judge(["eu"], traffic, named, Bounds())["eu"].health


def test_the_worse_of_traffic_and_incidents_counts_but_for_the_healthy():
    assert health((10, 10), (1000, 8)) is Health.UNCLEAR
    assert health((10, 10), (1000, 8), alone=True) is Health.SICK
    assert health((10, 10), (1000, 8), alone=False) is Health.DEGRADED
    assert health((1000, 8), (1000, 8), alone=True) is Health.HEALTHY
    assert health((1000, 30), (1000, 8)) is Health.UNCLEAR
    assert health((1000, 500), (10, 0)) is Health.UNCLEAR


def test_a_hundred_traces_show_an_incident_of_the_usual_size():
    """As in the case of the specification: 18.7 % against 0.8 %."""
    assert health((50, 9), (1000, 8)) >= Health.DEGRADED
    assert health((100, 19), (1000, 8)) is Health.DEGRADED
    assert health((1500, 281), (5000, 40)) is Health.SICK


def test_regions_that_fail_alike_are_hardly_ever_told_apart():
    """Looks at two regions of equal rate, of any size; one alarm would be too many."""
    chance = np.random.default_rng(7)
    alarms = 0
    for _ in range(2_000):
        rate = chance.uniform(0.001, 0.3)
        counts = chance.integers(50, 3000, 2)
        failing = chance.binomial(counts, rate)
        found = health((counts[0], failing[0]), (counts[1], failing[1]))
        alarms += found >= Health.DEGRADED

    assert alarms == 0
