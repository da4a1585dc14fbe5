"""A real MLflow: its registry becomes nodes, moves in it become changes."""

from contextlib import closing
from typing import Any

import httpx
import pytest
from graphmind_loaders.pull.mlflow import open_source

from graphmind.graph.schema.nodes import Change, Model, ModelVersion, PromptVersion
from graphmind.sources import PullWindow, SourceConfig
from graphmind.telemetry.rejections import Rejections
from tests.live.servers import mlflow

pytestmark = [pytest.mark.live, pytest.mark.slow]

NOW_MS = 1_999_000_000_000
PROMPT = {"key": "mlflow.prompt.is_prompt", "value": "true"}


@pytest.fixture(scope="module")
def call(tmp_path_factory):
    """Post to the API of a server; ``call.url`` is its address."""
    with mlflow(tmp_path_factory.mktemp("mlflow")) as url, httpx.Client(timeout=30) as client:

        def post(path, **body):
            reply = client.post(f"{url}/api/2.0/mlflow/{path}", json=body)
            reply.raise_for_status()
            return reply.json()

        yield url, post


def pulling(source):
    def pull(now_ms=NOW_MS):
        rejected = Rejections()
        window = PullWindow(from_ns=0, until_ns=now_ms * 1_000_000)
        nodes = list(source.pull(window, rejected))
        assert rejected.counts == {}
        return nodes

    return pull


def created(post, name, source, **more):
    return post("model-versions/create", name=name, source=source, **more)["model_version"]


def test_the_registry_and_what_moves_in_it(call):
    url, post = call
    post("registered-models/create", name="planner", tags=[{"key": "provider", "value": "acme"}])
    one, two = (created(post, "planner", f"s3://models/{n}") for n in (1, 2))
    post("registered-models/alias", name="planner", alias="champion", version="1")
    post("registered-models/create", name="greet", tags=[PROMPT])
    text = {"key": "mlflow.prompt.text", "value": "hush"}
    prompt = created(post, "greet", "prompt-template", tags=[PROMPT, text])
    config = SourceConfig(
        kind="mlflow", name="registry", url=url, timeout_s=30, options={"page": 1}
    )
    with closing(open_source(config)) as source:
        pull = pulling(source)
        first = pull()
        post("registered-models/alias", name="planner", alias="champion", version="2")
        moved = pull(NOW_MS + 1)
        staged = post(
            "model-versions/transition-stage",
            name="planner",
            version="1",
            stage="Archived",
            archive_existing_versions=False,
        )["model_version"]
        retired = pull(NOW_MS + 2)

    common: dict[str, Any] = {"model": "planner", "provider": "acme"}
    first_version = ModelVersion(
        **common, key="planner@1", version="1", released_ms=one["creation_timestamp"]
    )
    second_version = ModelVersion(
        **common,
        key="planner@2",
        version="2",
        previous="planner@1",
        released_ms=two["creation_timestamp"],
    )
    assert len(first) == 5
    assert Model(name="planner", provider="acme") in first
    assert second_version in first
    assert PromptVersion(name="greet@1") in first
    assert [node.at_ms for node in first if isinstance(node, Change)] == [
        prompt["creation_timestamp"]
    ]
    assert "hush" not in repr(first)
    assert change(moved) == ("deploy", "planner", NOW_MS + 1, "1", "2")
    assert first_version in moved
    assert change(retired) == (
        "deploy",
        "planner@1",
        staged["last_updated_timestamp"],
        "None",
        "Archived",
    )


def change(nodes):
    """Return the only change among some nodes."""
    (one,) = (node for node in nodes if isinstance(node, Change))
    return one.kind, one.target, one.at_ms, one.from_, one.to
