"""Metrics as anomalies, and the few that are symptoms."""

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphmind.settings import Settings
from graphmind.telemetry.metrics import POINTS
from graphmind.telemetry.rejections import Rejections
from graphmind.telemetry.triggers import (
    ENDLESS,
    TRIGGERS,
    UNUSABLE,
    Place,
    anomalies,
    in_places,
    metric_symptoms,
    points,
    with_symptoms,
)
from tests.builders import at, by_trace, facts, in_trace, span
from tests.telemetry.records import sample, samples_from_rows

P95 = "agent_trace_latency_p95"
RETRIES = "agent_retry_total"
WRITES = "agent_state_write_error_total"


def series(name: str, *values: float, every_s: float = 15, **labels: str) -> list[dict[str, Any]]:
    return [sample(name, n * every_s * 1000, value, **labels) for n, value in enumerate(values)]


def exemplar(name: str, time_s: float, value: float, trace_id: str, **labels: str) -> dict:
    return {**sample(name, time_s * 1000, value, **labels), "trace_id": trace_id}


def table(*rows: dict[str, Any]) -> pa.Table:
    return pa.table(points(samples_from_rows(rows), Rejections()))


def fired(*rows: dict[str, Any], settings: Settings | None = None) -> list[tuple[Any, ...]]:
    """(trigger, from s, until s, worst value) of each anomaly."""
    return [
        (
            each.trigger.name,
            (each.from_ns - at(0)) / 1e9,
            (each.until_ns - at(0)) / 1e9,
            each.value,
        )
        for each in anomalies(table(*rows), settings or Settings())
    ]


def test_labels_become_columns_by_the_table_of_spans():
    labels = {"gen_ai_agent_name": "planner", "module": "pay", "job": "shop", "le": "+Inf"}
    made = table(sample(P95, 5, 1.5, **labels)).to_pylist()

    assert made == [
        {
            "name": P95,
            "time_ns": at(5),
            "value": 1.5,
            "service": "shop",
            "agent": "planner",
            "module": "pay",
            "region": None,
            "model_version": None,
            "labels": '{"gen_ai_agent_name":"planner","job":"shop","le":"+Inf","module":"pay"}',
            "trace_id": None,
        }
    ]


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "name": st.sampled_from([None, "", P95, RETRIES, WRITES]),
                "time_ns": st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)),
                "value": st.one_of(st.none(), st.floats()),
                "labels": st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3),
            }
        ),
        max_size=6,
    )
)
def test_whatever_a_sample_says_it_is_a_point_or_counted(drawn):
    rejected = Rejections()
    made = points(samples_from_rows(drawn), rejected)

    assert made.schema.equals(POINTS)
    assert made.num_rows + sum(rejected.counts.values()) == len(drawn)
    anomalies(pa.table(made), Settings())


def test_a_sample_of_an_impossible_time_is_counted():
    rejected = Rejections()
    rows = [sample(P95, 5, 1.0), sample(P95, 7, 1.0), {**sample(P95, 0, 1.0), "time_ns": -1}]
    made = points(samples_from_rows(rows), rejected, latest_ns=at(6))

    assert made["time_ns"].to_pylist() == [at(5)]
    assert rejected.rows() == [{"reason": UNUSABLE, "count": 2, "samples": [P95, P95]}]


def test_latency_beyond_five_seconds_fires_while_it_lasts():
    rows = series(P95, 1, 6, 9.3, 5, 1, 7)

    assert fired(*rows) == [("latency p95", 15, 30, 9.3), ("latency p95", 75, 75, 7)]


def test_a_counter_fires_by_its_increase_within_a_minute():
    rows = series(RETRIES, 100, 101, 102, 105, 105, 105, 105, 105)

    assert fired(*rows) == [("retries", 30, 75, 5)]


def test_slow_steady_retries_do_not_fire():
    assert fired(*series(RETRIES, *range(0, 40, 2), every_s=60)) == []


def test_a_counter_that_starts_again_counts_from_nothing():
    assert fired(*series(RETRIES, 500, 0, 1, 2)) == []
    assert fired(*series(RETRIES, 500, 7)) == [("retries", 0, 15, 7)]


@pytest.mark.parametrize(
    ("labels", "fires"),
    [({}, 1), ({"code": "503"}, 1), ({"reason": "write timeout"}, 1), ({"status": "409"}, 0)],
)
def test_a_state_write_counts_where_the_store_is_to_blame(labels, fires):
    assert len(fired(*series(WRITES, 4, 4, 5, **labels))) == fires


def test_the_limit_of_a_hang_is_the_setting():
    rows = series("agent_inflight_oldest_seconds", 4, 8, 12)

    assert fired(*rows) == [("oldest call in flight", 30, 30, 12)]
    assert len(fired(*rows, settings=Settings(hang_after_s=20))) == 0


def test_an_alert_lasts_until_it_is_resolved():
    rows = [sample("alert:DiskFull", ms, value) for ms, value in ((1000, 1.0), (9000, 0.0))]

    assert fired(*rows) == [("alert of another system", 1, 9, 1)]
    [lasting] = anomalies(table(rows[0]), Settings())
    assert lasting.until_ns == ENDLESS


def test_names_of_opentelemetry_are_those_of_prometheus():
    assert len(fired(*series("agent.trace.latency.p95", 6))) == 1


def test_every_trigger_has_a_unit_and_a_source():
    assert all(trigger.unit and trigger.source for trigger in TRIGGERS)


def test_series_are_judged_one_by_one():
    rows = [*series(RETRIES, 0, 2, agent="a"), *series(RETRIES, 10, 12, agent="b")]

    assert fired(*rows) == []


def test_anomalies_are_those_of_a_place():
    rows = [
        *series(P95, 6, agent="a", module="m", job="scraper"),
        *series(P95, 7, agent="b", job="scraper"),
        *series(P95, 8, job="shop"),
        *series(P95, 9, job="bank"),
        *series(P95, 10, agent="b", region="us"),
        *series(P95, 11),
    ]
    place = Place("shop", "b", "m", "eu", None)
    found = in_places(anomalies(table(*rows), Settings()), {place})

    assert sorted(each.value for each in found) == [7, 8, 11]


# ------------------------------------------------------------------------------------- symptoms


def shown(*rows: dict[str, Any]) -> list[tuple[str, str, str]]:
    found = metric_symptoms(table(*rows), Settings()).to_pylist()
    return [(row["trace_id"], row["channel"], row["code"]) for row in found]


def test_the_trace_that_an_exemplar_names_has_a_symptom():
    rows = [*series(P95, 1, 6, 7, agent="a"), exemplar(P95, 20, 8.1, "t1", agent="a")]

    assert shown(*rows) == [("t1", "latency", "latency p95 > 5")]


@pytest.mark.parametrize(
    "other",
    [
        exemplar(P95, 20, 4.9, "t", agent="a"),  # itself below
        exemplar(P95, 20, 8.0, "t", agent="b"),  # another agent
        exemplar(P95, 900, 8.0, "t", agent="a"),  # another time
        exemplar(RETRIES, 20, 8.0, "t", agent="a"),  # another signal
    ],
)
def test_a_bystander_has_none(other):
    assert shown(*series(P95, 1, 6, 7, agent="a"), other) == []


def test_what_is_always_beyond_is_no_symptom():
    rows = [*series(P95, *[8.0] * 12), exemplar(P95, 20, 9.0, "t")]

    assert shown(*rows) == []
    assert [each.chronic for each in anomalies(table(*rows), Settings())] == [True]


def test_a_counter_names_the_traces_of_its_increase():
    rows = [*series(WRITES, 4, 4, 5), exemplar(WRITES, 29, 1.0, "t")]

    assert shown(*rows) == [("t", "error", "state write errors > 0")]


def test_a_symptom_makes_a_healthy_trace_slow_within_its_own_time():
    healthy = [span("root", 0, 900), span("step", 7, 20, parent="root")]
    before = facts([*in_trace("t1", healthy), *in_trace("t2", healthy)])
    rows = [*series(P95, 1, 6, 7), exemplar(P95, 20, 8.1, "t1"), exemplar(P95, 21, 8.1, "gone")]
    after = with_symptoms(before, metric_symptoms(table(*rows), Settings()))

    assert by_trace(after.traces, "outcome") == {"t1": "slow", "t2": "ok"}
    assert [(row["trace_id"], row["began_ns"]) for row in after.symptoms.to_pylist()] == [
        ("t1", at(900))
    ]
    assert after.traces.schema.equals(before.traces.schema)
    assert replace(after, traces=before.traces, symptoms=before.symptoms) == before


def test_a_trace_that_shows_the_channel_already_keeps_its_own_symptom():
    hung = [span("root", 0, 20_000, attributes={"gen_ai.request.model": "m"})]
    before = facts(in_trace("t1", hung))
    assert before.symptoms["channel"].to_pylist() == ["latency"]
    rows = [*series(P95, 1, 6, 7), exemplar(P95, 20, 8.1, "t1")]

    assert with_symptoms(before, metric_symptoms(table(*rows), Settings())) == before
