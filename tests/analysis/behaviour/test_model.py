"""A model of usual traces: trained, asked, stored, read back."""

import json
from dataclasses import replace
from random import Random

import numpy as np
import pytest

from graphmind.analysis.behaviour.document import from_document, to_document
from graphmind.analysis.behaviour.groups import Groups, directions
from graphmind.analysis.behaviour.model import find_limit, train
from graphmind.analysis.behaviour.pooling import COLUMNS
from graphmind.analysis.behaviour.verdicts import describe
from graphmind.errors import StoreError
from tests.analysis.behaviour.traces import failing, looping, read, slow, window

PLANTED = {"slow": slow, "looping": looping, "failing": failing}
USUAL = 300


@pytest.fixture(scope="module")
def model():
    traces = read(window(USUAL))
    return train(traces, traces.clean, trained_ms=1_000)


def with_planted(rows_seed=7):
    planted = tuple(draw(name, Random(rows_seed)) for name, draw in PLANTED.items())
    return read(window(60, unusual=planted, seed=2))


def score_of(model, traces):
    scores = model.score(traces).scores.tolist()
    return dict(zip(traces.trace_ids.to_pylist(), scores, strict=True))


def test_planted_anomalies_score_above_every_usual_trace(model):
    scores = score_of(model, with_planted())
    usual_most = max(score for name, score in scores.items() if name not in PLANTED)

    assert {name for name in PLANTED if scores[name] > max(usual_most, 1)} == set(PLANTED)


def test_about_one_healthy_trace_in_a_hundred_scores_above_one(model):
    fresh = read(window(1_000, seed=3))

    assert 0 < (model.score(fresh).scores >= 1).mean() < 0.04


def test_the_limit_is_the_99th_percentile_unless_anomalies_lie_there():
    healthy = np.exp(np.random.default_rng(1).normal(3, 0.5, 1_000))
    spoiled = np.append(healthy, np.full(50, 1e6))

    assert find_limit(healthy) == pytest.approx(np.quantile(healthy, 0.99), rel=0.02)
    assert np.quantile(spoiled, 0.99) == 1e6
    assert find_limit(spoiled) < 4 * find_limit(healthy)


def test_the_root_span_and_the_action_say_what_is_unusual(model):
    traces = with_planted()

    rows = describe(traces, model.score(traces), [None] * traces.count).to_pylist()
    said = {row["trace_id"]: (row["root_span"], row["suggested_action"]) for row in rows}

    assert said["slow"] == ("rpc", "inspect span: duration")
    assert said["failing"] == ("rpc", "inspect span: error")
    assert said["looping"][1] == "inspect span: structure"


def test_usual_traces_get_no_span_and_no_action(model):
    traces = read(window(40, seed=2))
    scored = replace(model.score(traces), scores=np.full(traces.count, 0.99))

    rows = describe(traces, scored, [None] * traces.count).to_pylist()

    assert {(row["root_span"], row["suggested_action"]) for row in rows} == {(None, "none")}


def test_a_trace_of_an_incident_is_compared_with_its_cluster(model):
    traces = read(window(2, seed=2))

    rows = describe(traces, model.score(traces), ["cluster-1", None]).to_pylist()

    assert rows[0]["matched_cluster_id"] == "cluster-1"
    assert rows[0]["suggested_action"] == "compare with cluster"
    assert rows[0]["root_span"] is not None


def test_a_table_without_traces_gives_no_verdicts(model):
    empty = read([])

    assert describe(empty, model.score(empty), []).num_rows == 0


def test_the_scores_do_not_depend_on_the_order_of_spans_or_on_ids():
    rows = window(120)
    other = [row | {"trace_id": f"x{row['trace_id']}"} for row in Random(3).sample(rows, len(rows))]
    one, two = (
        train(traces, traces.clean, trained_ms=0).score(traces).scores
        for traces in (read(rows), read(other))
    )

    np.testing.assert_allclose(one, two, rtol=1e-6)


def test_a_model_read_back_scores_the_same(model):
    traces = with_planted()
    kept = from_document(to_document(model))
    again = from_document(json.loads(json.dumps(to_document(kept))))

    np.testing.assert_allclose(kept.score(traces).scores, model.score(traces).scores, rtol=1e-3)
    np.testing.assert_array_equal(again.score(traces).scores, kept.score(traces).scores)
    assert again.trained_ms == model.trained_ms


def broken(name, field, value):
    def breaks(document):
        document["arrays"][name] = {**document["arrays"][name], field: value}

    return breaks


@pytest.mark.parametrize(
    "breaks",
    [
        lambda document: document.update(version=0),
        lambda document: document.update(method="horoscope"),
        lambda document: document.update(columns=["depth_level"]),
        lambda document: document.update(trained_ms=None),
        lambda document: document.update(arrays=[]),
        lambda document: document["arrays"].pop("learnt.precision"),
        broken("centre", "data", "not base64!"),
        broken("centre", "data", "AAAA"),
        broken("centre", "data", None),
        broken("centre", "shape", [15, 2]),
        broken("limit", "data", "AADAfw=="),  # NaN
        broken("groups.number", "shape", [1, 0]),
    ],
)
def test_a_damaged_model_is_refused_and_says_what_was_expected(model, breaks):
    document = to_document(model)
    breaks(document)

    with pytest.raises(StoreError, match="the stored behaviour model should hold"):
        from_document(document)


def test_data_of_the_same_platform_is_near_and_changed_data_is_far(model):
    same, slower = read(window(200, seed=5)), read(window(200, seed=5))
    slower.vectors[:, 1] += 0.5
    renamed = read([row | {"name": f"new-{row['name']}"} for row in window(200, seed=5)])

    assert model.fingerprint.distance(same, same.clean) < 0.25
    assert model.fingerprint.distance(slower, slower.clean) > 0.25
    assert model.fingerprint.distance(renamed, renamed.clean) > 0.25


def test_a_handful_of_traces_is_never_far_by_chance(model):
    few = [read(window(4, seed=seed)) for seed in range(10)]

    assert max(model.fingerprint.distance(traces, traces.clean) for traces in few) < 0.25


def test_nothing_is_at_no_distance(model):
    empty = read([])

    assert model.fingerprint.distance(empty, empty.clean) == 0


def alike(count, columns, seed=1):
    """Directions that point the same way, nearly."""
    vectors = np.random.default_rng(seed).normal(size=(count, len(COLUMNS))) * 0.02
    vectors[:, columns] += 1
    return directions(vectors)


def test_traces_that_are_unusual_in_the_same_way_are_one_group_and_keep_its_number():
    first = Groups.none().extended(np.vstack([alike(40, [0]), alike(30, [5])]))
    later = first.extended(np.vstack([alike(50, [9], seed=2), alike(25, [5], seed=2)]))

    assert first.number.tolist() == [1, 2]
    assert set(later.label(alike(25, [5], seed=2)).tolist()) == {2}
    assert set(later.label(alike(50, [9], seed=2)).tolist()) == {3}
    assert set(later.label(alike(40, [0])).tolist()) == {1}


def test_looking_for_groups_again_finds_no_more():
    seen = directions(np.random.default_rng(1).normal(size=(200, len(COLUMNS))))
    groups = Groups.none().extended(np.vstack([seen, alike(40, [0])]))

    assert groups.extended(np.vstack([seen, alike(40, [0])])) is groups


def test_too_few_traces_are_no_group():
    groups = Groups.none()

    assert groups.extended(alike(19, [0])) is groups
    assert groups.label(alike(19, [0])).tolist() == [0] * 19


def test_usual_traces_alone_are_learnt_whatever_the_others_do():
    failed = tuple(failing(f"failing{number}", Random(number)) for number in range(40))
    traces = read(window(200, unusual=failed))

    scores = train(traces, traces.clean, trained_ms=0).score(traces).scores

    assert scores[~traces.clean].min() > 1
