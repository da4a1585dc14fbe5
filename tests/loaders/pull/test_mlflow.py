from typing import Any

import pytest
from graphmind_loaders.pull.mlflow import open_source

from graphmind.errors import SourceError
from graphmind.graph.schema.nodes import Change, Model, ModelVersion, PromptVersion
from graphmind.sources import PullWindow
from graphmind.telemetry.rejections import Rejections
from tests.loaders.pull.asking import opened
from tests.loaders.pull.serving import Answer

NOW_MS = 1_795_000_000_000


class Registry:
    """Answers searches as MLflow does, page by page."""

    def __init__(self, models=(), versions=(), prompts=(), texts=()):
        self.plain = {"registered-models": [*models], "model-versions": [*versions]}
        self.prompts = {"registered-models": [*prompts], "model-versions": [*texts]}

    def __call__(self, asked):
        what = asked.path.split("/")[-2]
        items = (self.prompts if "filter" in asked.query else self.plain)[what]
        start, size = int(asked.query.get("page_token", 0)), int(asked.query["max_results"])
        name = what.replace("-", "_")
        page: dict[str, Any] = {name: items[start : start + size]} if items else {}
        if start + size < len(items):
            page["next_page_token"] = str(start + size)
        return Answer.of(page)


def model(name, **aliases):
    pairs = [{"alias": alias, "version": version} for alias, version in aliases.items()]
    return {"name": name, "creation_timestamp": 1, "aliases": pairs}


def version(name, number, *, stage="None", at_ms=None, **more):
    return {
        "name": name,
        "version": str(number),
        "creation_timestamp": 1000 * number,
        "last_updated_timestamp": at_ms or 1000 * number,
        "current_stage": stage,
        "status": "READY",
        **more,
    }


def pull(source, rejected=None, now_ms=NOW_MS):
    window = PullWindow(from_ns=0, until_ns=now_ms * 1_000_000)
    return list(source.pull(window, Rejections() if rejected is None else rejected))


def changes(nodes):
    """Return kind, target, time, before and after of each change."""
    return [
        (node.kind, node.target, node.at_ms, node.from_, node.to)
        for node in nodes
        if isinstance(node, Change)
    ]


def test_models_and_versions_become_nodes_with_their_release():
    provided = model("planner", champion="9") | {"tags": [{"key": "provider", "value": "acme"}]}
    versions = [version("planner", 10), version("planner", 9, stage="Production")]
    with opened(open_source, Registry([provided], versions)) as (source, _):
        nodes = pull(source)

    common: dict[str, Any] = {"model": "planner", "provider": "acme"}
    assert nodes == [
        Model(name="planner", provider="acme"),
        ModelVersion(
            **common, key="planner@10", previous="planner@9", version="10", released_ms=10_000
        ),
        ModelVersion(**common, key="planner@9", version="9", stage="production", released_ms=9_000),
    ]


def test_the_alias_with_more_traffic_names_the_stage():
    registry = Registry([model("m", champion="1", shadow="1", mine="1")], [version("m", 1)])
    with opened(open_source, registry) as (source, _):
        (stage,) = (node.stage for node in pull(source) if isinstance(node, ModelVersion))

    assert stage == "production"


def test_an_alias_that_moves_is_a_change_when_it_is_noticed():
    registry = Registry([model("m", champion="1")], [version("m", 1), version("m", 2)])
    with opened(open_source, registry) as (source, _):
        first, same = pull(source), pull(source)
        registry.plain["registered-models"] = [model("m", champion="2", shadow="1")]
        moved = pull(source, now_ms=NOW_MS + 7)
        registry.plain["registered-models"] = [model("m", champion="2")]
        removed = pull(source, now_ms=NOW_MS + 9)

    assert (changes(first), same) == ([], [])
    assert changes(moved) == [
        ("deploy", "m", NOW_MS + 7, "1", "2"),
        ("deploy", "m", NOW_MS + 7, None, "1"),
    ]
    assert changes(removed) == [("config", "m", NOW_MS + 9, "1", None)]


def test_a_stage_that_changes_is_a_change_at_the_time_that_mlflow_says():
    registry = Registry([model("m")], [version("m", 1)])
    with opened(open_source, registry) as (source, _):
        pull(source)
        registry.plain["model-versions"] = [version("m", 1, stage="Staging", at_ms=5_000)]
        nodes = pull(source)

    assert changes(nodes) == [("deploy", "m@1", 5_000, "None", "Staging")]
    assert [node.stage for node in nodes if isinstance(node, ModelVersion)] == ["canary"]


def test_prompts_are_no_models_and_their_text_is_not_read():
    tags = [{"key": "mlflow.prompt.text", "value": "hush"}]
    registry = Registry(
        prompts=[model("greet", production="1")], texts=[version("greet", 1, tags=tags)]
    )
    with opened(open_source, registry) as (source, _):
        first = pull(source)
        registry.prompts["model-versions"].append(version("greet", 2))
        registry.prompts["registered-models"] = [model("greet", production="2")]
        moved = pull(source)

    assert PromptVersion(name="greet@1") in first
    assert changes(first) == [("config", "greet@1", 1_000, None, "1")]
    assert changes(moved) == [
        ("config", "greet@2", 2_000, None, "2"),
        ("config", "greet@2", NOW_MS, "1", "2"),
    ]
    assert "hush" not in repr(first)


def test_lists_are_read_page_by_page_and_to_a_limit():
    registry = Registry([model(f"m{n}") for n in range(9)])
    with opened(open_source, registry, page=4) as (source, _):
        assert len(pull(source)) == 9
    rejected = Rejections()
    with opened(open_source, registry, page=4, records_max=4) as (source, _):
        assert len(pull(source, rejected)) == 4

    assert rejected.counts == {"mlflow registered-models beyond `records_max`": 1}


def test_pages_without_end_are_said():
    def endless(_asked):
        return Answer.of({"registered_models": [model("m")], "next_page_token": "again"})

    refused = pytest.raises(SourceError, match="pages on and on")
    with opened(open_source, endless) as (source, _), refused:
        pull(source)


def test_a_broken_record_is_counted_and_one_not_ready_is_left_out():
    versions = [version("m", 1), {"name": "m"}, version("m", 2, status="FAILED_REGISTRATION")]
    rejected = Rejections()
    with opened(open_source, Registry(versions=versions)) as (source, _):
        assert [node.key for node in pull(source, rejected) if isinstance(node, ModelVersion)] == [
            "m@1"
        ]

    assert rejected.counts == {"record of another shape": 1}


@pytest.mark.parametrize("answer", [Answer(body=b"<html>"), Answer.of([1]), Answer(status=404)])
def test_another_server_is_said(answer):
    refused = pytest.raises(SourceError, match=r"source t \(test")
    with opened(open_source, lambda _asked: answer) as (source, _), refused:
        pull(source)
