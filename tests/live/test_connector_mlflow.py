"""The model registry's connector keeps the contract against a real MLflow."""

import httpx
import pytest

from graphmind.repair.connector import ConnectorError, StateChanged
from graphmind.repair.connectors.model_registry import open_connector
from graphmind.repair.model import Call
from tests.contracts.connector import SECRET, ConnectorContract, Example, Rig
from tests.live.servers import mlflow

pytestmark = [pytest.mark.live, pytest.mark.slow]

API = "api/2.0/mlflow"


def switch(target, to, **params):
    return Call(action="switch_model_version", target=target, params={"to": to, **params})


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    with mlflow(tmp_path_factory.mktemp("mlflow")) as url, httpx.Client(timeout=30) as client:

        def ask(method, path, **document):
            params, json = (document, None) if method == "GET" else (None, document)
            reply = client.request(method, f"{url}/{API}/{path}", params=params, json=json)
            reply.raise_for_status()
            return reply.json()

        ask("POST", "registered-models/create", name="planner")
        for label in ("v3.1.5", "v3.1.6", "v3.1.7", "2"):
            tags = [{"key": "version", "value": label}]
            ask(
                "POST",
                "model-versions/create",
                name="planner",
                source="s3://models/planner",
                tags=tags,
            )
        ask("POST", "registered-models/create", name="critic")
        ask("POST", "model-versions/create", name="critic", source="s3://models/planner")
        yield url, ask


@pytest.fixture
def rig(registry):
    url, ask = registry

    def point_to(version):
        ask("POST", "registered-models/alias", name="planner", alias="champion", version=version)

    def state():
        model = ask("GET", "registered-models/get", name="planner")["registered_model"]
        return {one["alias"]: one["version"] for one in model["aliases"]}

    point_to("3")
    return Rig(
        opener=open_connector,
        options={"models": {"the planner": "planner"}},
        port=int(url.rpartition(":")[2]),
        at=lambda port: {"url": f"http://127.0.0.1:{port}"},
        state=state,
        disturb=lambda _call: point_to("4"),
        writes=[b"POST "],
        credentials={"username": "graphmind", "password": SECRET},
        timeout_s=3.0,
    )


class TestModelRegistry(ConnectorContract):
    examples = (
        Example(call=switch("planner", "v3.1.5")),
        Example(call=switch("the planner", "3.1.6")),
        Example(call=switch("planner@v3.1.7", "1")),
    )
    unknown_target = (switch("drafter", "1"), "Known models: critic, planner")


@pytest.fixture
def connector(rig):
    with rig.opened() as opened:
        yield opened


def test_labels_of_telemetry_win_over_numbers_unless_told_otherwise(connector):
    by_label = connector.plan(switch("planner", "2"))
    by_number = connector.plan(switch("planner", "2", by="number"))

    assert "from version 3 (v3.1.7) to version 4 (2)" in by_label.summary
    assert "to version 2 (v3.1.6)" in by_number.summary
    assert by_label.before["label"] == "v3.1.7"
    assert by_number.undo.params == {"to": "3", "by": "number", "from": "2"}


def test_an_unknown_version_is_told_with_those_known(connector):
    with pytest.raises(ConnectorError, match=r"no version 'v9'.*version 1 \(v3\.1\.5\)"):
        connector.plan(switch("planner", "v9"))


def test_a_model_without_the_alias_is_told(connector):
    with pytest.raises(ConnectorError, match="no alias 'champion' of a model 'critic'"):
        connector.plan(switch("critic", "1"))


def test_a_label_of_two_versions_asks_for_the_number(connector, registry):
    _, ask = registry
    tag = {"name": "planner", "version": "2", "key": "version"}
    ask("POST", "model-versions/set-tag", **tag, value="v3.1.5")
    try:
        with pytest.raises(ConnectorError, match=r"versions .* all have the tag"):
            connector.plan(switch("planner", "v3.1.5"))
    finally:
        ask("POST", "model-versions/set-tag", **tag, value="v3.1.6")


def test_a_version_that_is_gone_stops_the_step(connector, registry):
    _, ask = registry
    made = ask("POST", "model-versions/create", name="planner", source="s3://models/planner")[
        "model_version"
    ]
    call = switch("planner", made["version"])
    before = connector.plan(call).before
    ask("DELETE", "model-versions/delete", name="planner", version=made["version"])
    with pytest.raises(ConnectorError, match="no version") as refused:
        connector.apply(call, before=before, key="k")

    assert not isinstance(refused.value, StateChanged)
