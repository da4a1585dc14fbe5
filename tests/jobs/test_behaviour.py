"""Anomaly scores of archived traces, with a model that is trained when needed and kept."""

import logging
from random import Random

import pytest

from graphmind.archive.duck import DuckArchive
from graphmind.archive.port import Selection
from graphmind.jobs import behaviour
from graphmind.jobs.behaviour import MODEL_AGE_MAX_MS, MODEL_ID, MODELS, score_traces
from graphmind.jobs.settle import settle
from graphmind.settings import Settings
from graphmind.telemetry.rejections import Rejections
from tests.analysis.behaviour.traces import failing, looping, slow, window
from tests.builders import at, by_trace
from tests.jobs.windows import loaded

NOW_MS = 1_000_000_000_000
ALL = Selection()


@pytest.fixture
def archive():
    with DuckArchive(None) as opened:
        yield opened


def scored(archive, selection=ALL, now_ms=NOW_MS):
    return score_traces(archive, Settings(), selection, now_ms)


def trained_ms(archive):
    return archive.documents(MODELS)[MODEL_ID]["trained_ms"]


EACH = 12
"""Traces of each planted kind."""


def planted(count=300, each=EACH):
    kinds = {"slow": slow, "looping": looping, "failing": failing}
    return window(
        count,
        unusual=tuple(
            draw(f"{name}{number:02}", Random(number))
            for name, draw in kinds.items()
            for number in range(each)
        ),
    )


def test_every_trace_gets_one_row_of_exactly_the_stated_fields(archive):
    loaded(archive, planted())

    table = scored(archive)

    assert table.column_names == [
        "trace_id",
        "matched_cluster_id",
        "anomaly_score",
        "root_span",
        "suggested_action",
    ]
    assert table["trace_id"].to_pylist() == [
        *(f"usual{number:04}" for number in range(300)),
        *(
            f"{name}{number:02}"
            for name in ("slow", "looping", "failing")
            for number in range(EACH)
        ),
    ]


def test_traces_that_are_unusual_alike_are_one_group_each(archive):
    loaded(archive, planted())
    settle(archive, Settings(), Rejections())

    clusters = by_trace(scored(archive), "matched_cluster_id")
    groups = {
        name: {clusters[f"{name}{number:02}"] for number in range(EACH)}
        for name in ("slow", "looping", "failing")
    }

    assert all(len(group) == 1 for group in groups.values())
    assert len(set.union(*groups.values()) - {None}) == 3


def test_scoring_again_uses_the_model_kept_and_says_the_same(archive):
    loaded(archive, planted())

    first, again = scored(archive), scored(archive, now_ms=NOW_MS + 1)

    assert again.equals(first)
    assert trained_ms(archive) == NOW_MS


def test_a_part_of_the_window_is_scored_as_within_the_whole(archive):
    loaded(archive, planted())
    whole = by_trace(scored(archive), "anomaly_score")

    part = scored(archive, Selection(from_ns=at(100 * 5_000), until_ns=at(260 * 5_000)))

    assert part.num_rows == 160
    assert by_trace(part, "anomaly_score") == pytest.approx(
        {trace_id: whole[trace_id] for trace_id in part["trace_id"].to_pylist()}
    )


def test_batches_of_spans_make_no_difference(archive, monkeypatch):
    loaded(archive, planted())
    whole = scored(archive)
    monkeypatch.setattr(behaviour, "SPANS_MAX", 500)

    in_batches = scored(archive)

    scores = "anomaly_score"
    assert in_batches.drop_columns(scores).equals(whole.drop_columns(scores))
    assert by_trace(in_batches, scores) == pytest.approx(by_trace(whole, scores))


def test_an_old_model_is_trained_anew_and_its_groups_keep_their_numbers(archive):
    loaded(archive, planted())
    first = by_trace(scored(archive), "matched_cluster_id")

    later = NOW_MS + MODEL_AGE_MAX_MS + 1
    second = by_trace(scored(archive, now_ms=later), "matched_cluster_id")

    assert trained_ms(archive) == later
    assert second == first


def test_changed_data_trains_a_new_model(archive):
    loaded(archive, planted())
    scored(archive)
    changed = [
        row | {"trace_id": f"new-{row['trace_id']}", "name": f"new-{row['name']}"}
        for row in window(200, seed=4)
    ]
    hours = 8 * 3_600_000
    loaded(
        archive,
        [
            row | {name: row[name] + hours * 1_000_000 for name in ("start_ns", "end_ns")}
            for row in changed
        ],
    )

    scored(archive, Selection(from_ns=at(hours)), now_ms=NOW_MS + 1)

    assert trained_ms(archive) == NOW_MS + 1


def test_a_damaged_model_is_ignored_with_a_warning_and_trained_anew(archive, caplog):
    loaded(archive, planted())
    first = scored(archive)
    archive.replace_documents(MODELS, {MODEL_ID: {"version": 1, "arrays": "gone"}})

    with caplog.at_level(logging.WARNING):
        again = scored(archive, now_ms=NOW_MS + 1)

    assert "the stored behaviour model should hold" in caplog.text
    assert trained_ms(archive) == NOW_MS + 1
    assert by_trace(again, "anomaly_score") == by_trace(first, "anomaly_score")


def test_traces_of_an_incident_carry_its_cluster_and_form_no_group(archive):
    loaded(archive, planted())
    ids = [f"failing{number:02}" for number in range(EACH)]
    archive.save_incidents(
        "run", [{"incident_id": "i", "cluster_id": "cluster-i", "trace_ids": ids}]
    )

    table = scored(archive)
    clusters, actions = by_trace(table, "matched_cluster_id"), by_trace(table, "suggested_action")

    assert {clusters[trace_id] for trace_id in ids} == {"cluster-i"}
    assert {actions[trace_id] for trace_id in ids} == {"compare with cluster"}
    assert len({cluster for cluster in clusters.values() if cluster}) == 3


def test_an_empty_archive_gives_no_rows_and_keeps_no_model(archive):
    assert scored(archive).num_rows == 0
    assert archive.documents(MODELS) == {}


def test_too_few_healthy_traces_give_no_scores_and_no_model(archive):
    loaded(archive, window(99))

    table = scored(archive)

    assert table["anomaly_score"].null_count == 99
    assert set(table["suggested_action"].to_pylist()) == {"wait for more healthy traces"}
    assert archive.documents(MODELS) == {}


def test_a_single_trace_is_scored_by_the_model_kept(archive):
    loaded(archive, planted())
    whole = by_trace(scored(archive), "anomaly_score")

    one = scored(archive, Selection(from_ns=at(0), until_ns=at(1)))

    assert one.num_rows == 1
    assert one["anomaly_score"].to_pylist() == [pytest.approx(whole["usual0000"])]
