"""An emulated Kubernetes API: what is rolled out there becomes changes here."""

from contextlib import closing

import httpx
import pytest
from graphmind_loaders.pull.kubernetes import open_source

from graphmind.errors import SourceError
from graphmind.graph.schema.nodes import Change, Service
from graphmind.sources import PullWindow, SourceConfig
from graphmind.telemetry.rejections import Rejections
from tests.live.servers import kubernetes
from tests.loaders.pull.clusters import CREATED_MS, MINUTE_MS, deployment, replica_set

pytestmark = pytest.mark.live

NOW_MS = CREATED_MS + 1000 * MINUTE_MS
WINDOW = PullWindow(from_ns=0, until_ns=NOW_MS * 1_000_000)
APPS = "apis/apps/v1/namespaces/prod"


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    with kubernetes(tmp_path_factory.mktemp("kubernetes")) as at:
        yield at


def config(url):
    return SourceConfig(kind="kubernetes", name="eu", url=url, timeout_s=5)


def test_a_rollout_and_a_rollback_are_changes(url):
    def create(kind, body):
        httpx.post(f"{url}/{APPS}/{kind}", json=body).raise_for_status()

    def pull():
        return list(source.pull(WINDOW, Rejections()))

    create("deployments", deployment("router", "router:1.0"))
    create("replicasets", replica_set("router", 1, "router:1.0"))
    with closing(open_source(config(url))) as source:
        first = pull()
        create("replicasets", replica_set("router", 2, "router:1.1"))
        rolled = pull()
        again = replica_set("router", 1, "router:1.0", revision=3)["metadata"]["annotations"]
        httpx.patch(
            f"{url}/{APPS}/replicasets/router-1",
            json={"metadata": {"annotations": again}},
            headers={"content-type": "application/merge-patch+json"},
        ).raise_for_status()
        back = pull()

    plain = {"kind": "deploy", "target": "router", "target_label": "Service"}
    assert first == [
        Service(name="router"),
        Change(**plain, key="eu prod/router-1", at_ms=CREATED_MS + MINUTE_MS, to="router:1.0"),
    ]
    assert rolled == [
        Change(
            **plain,
            key="eu prod/router-2",
            at_ms=CREATED_MS + 2 * MINUTE_MS,
            from_="router:1.0",
            to="router:1.1",
        )
    ]
    assert back == [
        Change(
            **plain,
            key="eu prod/router-1 again 3",
            at_ms=NOW_MS,
            from_="router:1.1",
            to="router:1.0",
        )
    ]


def test_another_server_is_said(url):
    refused = pytest.raises(SourceError, match=r"eu \(kubernetes")
    with closing(open_source(config(f"{url}/nowhere"))) as source, refused:
        list(source.pull(WINDOW, Rejections()))
