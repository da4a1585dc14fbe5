import pytest
from graphmind_loaders.pull.kubernetes import RESTARTS_MAX, open_source

from graphmind.errors import SourceError
from graphmind.graph.schema.nodes import Agent, Change, Service
from graphmind.sources import PullWindow
from graphmind.telemetry.rejections import Rejections
from tests.loaders.pull.asking import opened
from tests.loaders.pull.clusters import CREATED_MS, MINUTE_MS, deployment, replica_set
from tests.loaders.pull.serving import Answer

NOW_MS = CREATED_MS + 1000 * MINUTE_MS
MS_NS = 1_000_000


class Cluster:
    """Answers lists as an API server does, in pages where it is asked to."""

    def __init__(self, deployments=(), sets=()):
        self.lists = {"deployments": list(deployments), "replicasets": list(sets)}
        self.expired = 0
        """How many continued pages are answered by 410."""

    def __call__(self, asked):
        items = self.lists[asked.path.rsplit("/", 1)[1]]
        start, size = int(asked.query.get("continue", 0)), int(asked.query["limit"])
        if start and self.expired:
            self.expired -= 1
            return Answer.of({"kind": "Status", "code": 410, "reason": "Expired"}, 410)
        onward = str(start + size) if start + size < len(items) else ""
        return Answer.of({"metadata": {"continue": onward}, "items": items[start:][:size] or None})


def pull(source, now_ms=NOW_MS, rejected=None):
    window = PullWindow(from_ns=0, until_ns=now_ms * MS_NS)
    counted = Rejections() if rejected is None else rejected
    return list(source.pull(window, counted))


def changes(nodes):
    """Return kind, target, minute, before and after of each change."""
    return [
        (node.kind, node.target, ((node.at_ms or 0) - CREATED_MS) // MINUTE_MS, node.from_, node.to)
        for node in nodes
        if isinstance(node, Change)
    ]


def test_a_rollout_is_a_change_at_the_creation_of_its_replica_set():
    sets = [
        replica_set("router", 1, "router:1.0"),
        replica_set("router", 2, "router:1.1"),
        replica_set("router", 3, "router:1.1"),
    ]
    with opened(open_source, Cluster([deployment("router", "router:1.1")], sets)) as (source, _):
        nodes = pull(source)

    assert nodes[0] == Service(name="router")
    assert changes(nodes) == [
        ("deploy", "router", 1, None, "router:1.0"),
        ("deploy", "router", 2, "router:1.0", "router:1.1"),
        ("config", "router", 3, "revision 2", "revision 3"),
    ]
    assert {node.target_label for node in nodes[1:] if isinstance(node, Change)} == {"Service"}


def test_what_did_not_change_is_not_handed_on_again():
    cluster = Cluster(
        [deployment("router", "router:1.0")], [replica_set("router", 1, "router:1.0")]
    )
    with opened(open_source, cluster) as (source, _):
        first, again = pull(source), pull(source, NOW_MS + 1)
        cluster.lists["replicasets"].append(replica_set("router", 2, "router:1.1"))
        rolled = pull(source, NOW_MS + 2)

    assert (len(first), again) == (2, [])
    assert changes(rolled) == [("deploy", "router", 2, "router:1.0", "router:1.1")]


def test_a_rollback_is_a_change_when_it_is_noticed_and_history_stays_as_it_was():
    old, new = replica_set("router", 1, "router:1.0"), replica_set("router", 2, "router:1.1")
    cluster = Cluster([deployment("router", "router:1.0")], [old, new])
    with opened(open_source, cluster) as (source, _):
        pull(source)
        cluster.lists["replicasets"] = [replica_set("router", 1, "router:1.0", revision=3), new]
        back = pull(source)
        forward = replica_set("router", 4, "router:1.2")
        cluster.lists["replicasets"].append(forward)
        onward = pull(source)

    assert changes(back) == [("deploy", "router", 1000, "router:1.1", "router:1.0")]
    assert changes(onward) == [("deploy", "router", 4, "router:1.0", "router:1.2")]


@pytest.mark.parametrize("where", ["labels", "annotations"])
def test_a_deployment_that_says_so_is_an_agent(where):
    own = deployment("planner-eu", "planner:2.1", **{where: {"graphmind.io/agent": "ops/planner"}})
    sets = [replica_set("planner-eu", 1, "planner:2.1")]
    with opened(open_source, Cluster([own], sets)) as (source, _):
        agent, change = pull(source)

    assert agent == Agent(key="ops/planner", name="planner", version="2.1")
    assert isinstance(change, Change)
    assert (change.target, change.target_label) == ("ops/planner", "Agent")


@pytest.mark.parametrize(
    ("labels", "annotations", "name"),
    [
        ({}, {}, "web"),
        ({"app.kubernetes.io/name": "shop"}, {}, "shop"),
        (
            {"app.kubernetes.io/name": "shop", "app.kubernetes.io/instance": "shop-eu"},
            {},
            "shop-eu",
        ),
        ({"app.kubernetes.io/name": "x"}, {"resource.opentelemetry.io/service.name": "s"}, "s"),
    ],
)
def test_a_service_is_named_as_opentelemetry_would_name_it(labels, annotations, name):
    own = deployment("web", "web:1", labels=labels, annotations=annotations)
    with opened(open_source, Cluster([own])) as (source, _):
        assert pull(source) == [Service(name=name)]


def test_lists_are_read_page_by_page():
    cluster = Cluster([deployment(f"d{n}", "i:1") for n in range(7)])
    with opened(open_source, cluster, page=3) as (source, server):
        assert len(pull(source)) == 7

    assert [asked.query.get("continue") for asked in server.asked[:3]] == [None, "3", "6"]


def test_a_list_that_expires_is_read_anew():
    cluster = Cluster([deployment(f"d{n}", "i:1") for n in range(7)])
    cluster.expired = RESTARTS_MAX - 1
    with opened(open_source, cluster, page=3) as (source, _):
        assert len(pull(source)) == 7


def test_a_list_that_expires_again_and_again_is_said():
    cluster = Cluster([deployment(f"d{n}", "i:1") for n in range(7)])
    cluster.expired = 1000
    refused = pytest.raises(SourceError, match=r"expired 3 times.*raise `page`")
    with opened(open_source, cluster, page=3) as (source, _), refused:
        pull(source)


def test_only_the_namespaces_wanted_are_asked():
    with opened(open_source, Cluster(), namespaces=["a", "b"], selector="app=x") as (
        source,
        server,
    ):
        pull(source)

    assert [asked.path for asked in server.asked[:2]] == [
        "/apis/apps/v1/namespaces/a/deployments",
        "/apis/apps/v1/namespaces/b/deployments",
    ]
    assert server.asked[0].query["labelSelector"] == "app=x"
    assert server.asked[0].headers["authorization"] == "Bearer tok"


def test_a_broken_object_is_counted_and_costs_no_other():
    rejected = Rejections()
    undated = replica_set("router", 2, "router:2")
    undated["metadata"]["creationTimestamp"] = "soon"
    sets = [replica_set("router", 1, "router:1"), undated]
    with opened(open_source, Cluster([deployment("router", "router:2"), 3], sets)) as (source, _):
        assert len(changes(pull(source, rejected=rejected))) == 1

    assert rejected.counts == {"record of another shape": 2}


def test_a_cluster_that_refuses_is_said():
    def refuse(_asked):
        return Answer.of({"kind": "Status", "message": "deployments.apps is forbidden"}, 403)

    with opened(open_source, refuse) as (source, _), pytest.raises(SourceError, match="403"):
        pull(source)
