"""An emulated Kubernetes API: Deployments and nodes are changed there, and brought back."""

import copy
from contextlib import closing
from itertools import count

import httpx
import pytest

from graphmind.repair.connector import ConnectorError, Effect, StateChanged
from graphmind.repair.connectors.config import Section
from graphmind.repair.connectors.kubernetes import open_connector
from graphmind.repair.model import Call
from tests.contracts.connector import SECRET, ConnectorContract, Example, Rig
from tests.live.region_servers import cluster

pytestmark = pytest.mark.live

REGION = "topology.kubernetes.io/region"
MERGE = {"content-type": "application/merge-patch+json"}
_numbers = count()


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    with cluster(tmp_path_factory.mktemp("cluster")) as at:
        yield at


@pytest.fixture
def world(url):
    return World(url)


class World:
    """A namespace with a Deployment of two rollouts, and nodes of two regions, as others see it."""

    def __init__(self, url):
        number = next(_numbers)
        self.url, self.namespace = url, f"prod-{number}"
        self._http = httpx.Client(base_url=url, timeout=30)
        self._http.delete("/api/v1/nodes").raise_for_status()
        for region in ("eu", "us"):
            for n in (1, 2):
                self.add_node(f"{region}-{n}-{number}", region)
        self._post(self._apps("deployments"), deployment(self.namespace))
        self.patch({"spec": {"template": template("planner:2")}})

    def close(self):
        self._http.close()

    def add_node(self, name, region):
        body = {"metadata": {"name": name, "labels": {REGION: region}}, "spec": {}}
        self._post("/api/v1/nodes", body)

    def patch(self, body):
        path = self._apps("deployments/planner")
        self._http.patch(path, json=body, headers=MERGE).raise_for_status()

    def deployment(self):
        return self._http.get(self._apps("deployments/planner")).raise_for_status().json()

    def state(self):
        found = self.deployment()
        annotations = copy.deepcopy(found["metadata"].get("annotations", {}))
        spec = copy.deepcopy(found["spec"])
        # The time and key of a restart differ each time.
        marks = spec["template"]["metadata"].get("annotations", {})
        for name in marks:
            marks[name] = "a restart"
        nodes = {
            n["metadata"]["name"]: n["spec"].get("unschedulable") or False for n in self._nodes()
        }
        return {"spec": spec, "annotations": annotations, "nodes": nodes}

    def disturb(self, call):
        if call.action in {"cordon", "uncordon"}:
            self.add_node(f"eu-new-{next(_numbers)}", "eu")
        else:
            self.patch({"spec": {"replicas": 7, "template": template("planner:9")}})

    def _nodes(self):
        return self._http.get("/api/v1/nodes").raise_for_status().json()["items"]

    def _apps(self, what):
        return f"/apis/apps/v1/namespaces/{self.namespace}/{what}"

    def _post(self, path, body):
        self._http.post(path, json=body).raise_for_status()


def template(image):
    secret = {"name": "TOKEN", "value": "hush"}
    model = {"name": "MODEL", "value": "gpt-x@v2"}
    main = {"name": "main", "image": image, "env": [secret, model]}
    sidecar = {"name": "sidecar", "image": "sidecar:1"}
    return {
        "metadata": {"labels": {"app": "planner"}},
        "spec": {"containers": [main, sidecar]},
    }


def deployment(namespace):
    return {
        "metadata": {"name": "planner", "namespace": namespace},
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": {"app": "planner"}},
            "template": template("planner:1"),
        },
    }


def options(world):
    return {
        "agents": {"shop/planner": f"{world.namespace}/planner", "gone": "nowhere"},
        "regions": {"eu": f"{REGION}=eu", "us": f"{REGION}=us"},
    }


def call(action, target="shop/planner", **params):
    return Call(action=action, target=target, params=params)


DEGRADE = call("degrade", container="main", image="planner:safe", env={"LIMIT": "5"})


class TestContract(ConnectorContract):
    examples = (
        Example(call=call("restart")),
        Example(call=call("scale", replicas=5)),
        Example(call=call("disable")),
        Example(call=call("enable", replicas=4)),
        Example(call=DEGRADE),
        Example(call=call("rollout_undo")),
        Example(call=call("cordon", "eu"), atomic=False),  # two nodes, one after the other
    )
    unknown_target = call("restart", "mars/rover"), "shop/planner"

    @pytest.fixture
    def rig(self, world):
        with closing(world):
            yield Rig(
                opener=open_connector,
                options=options(world),
                port=int(world.url.rpartition(":")[2]),
                at=lambda port: {"url": f"http://127.0.0.1:{port}"},
                state=world.state,
                disturb=world.disturb,
                writes=(b"PATCH ",),
                credentials={"token": SECRET},
                timeout_s=3.0,
            )


@pytest.fixture
def connector(world):
    given = {**options(world), "url": world.url, "timeout_s": 5}
    section = Section(name="eu", kind="kubernetes", live=True, options=given)
    with closing(world), closing(open_connector(section)) as opened:
        yield opened


def run(connector, one, key="rep-1/1"):
    planned = connector.plan(one)
    connector.apply(one, before=planned.before, key=key)
    assert connector.verify(one, before=planned.before, key=key).effect is Effect.APPLIED
    return planned


def images(world):
    return [c["image"] for c in world.deployment()["spec"]["template"]["spec"]["containers"]]


def test_a_restart_is_written_as_kubectl_does(world, connector):
    run(connector, call("restart"))
    marks = world.deployment()["spec"]["template"]["metadata"]["annotations"]

    assert set(marks) == {"kubectl.kubernetes.io/restartedAt", "graphmind.io/restart"}


def test_a_restart_by_somebody_else_is_not_taken_for_ours(world, connector):
    planned = run(connector, call("restart"))
    mark = {"kubectl.kubernetes.io/restartedAt": "2030-01-01T00:00:00Z"}
    world.patch({"spec": {"template": {"metadata": {"annotations": mark}}}})

    seen = connector.verify(call("restart"), before=planned.before, key="rep-1/1")
    assert seen.effect is Effect.OTHER
    with pytest.raises(StateChanged, match="somebody else changed it since"):
        connector.undo(planned.undo, before=planned.before, key="rep-1/1")


def test_what_was_disabled_comes_back_with_as_many_replicas(world, connector):
    run(connector, call("disable"))
    disabled = world.deployment()["spec"]["replicas"]
    run(connector, call("enable"), "rep-2/1")

    assert (disabled, world.deployment()["spec"]["replicas"]) == (0, 3)
    assert "graphmind.io/replicas" not in world.deployment()["metadata"]["annotations"]


def test_a_rollout_goes_back_and_forth_again(world, connector):
    planned = run(connector, call("rollout_undo"))
    back = images(world)
    connector.undo(planned.undo, before=planned.before, key="rep-1/1")

    assert (back, images(world)) == (["planner:1", "sidecar:1"], ["planner:2", "sidecar:1"])


def test_a_revision_that_was_never_there_is_told(connector):
    with pytest.raises(ConnectorError, match="of revision 9, got revisions 1, 2"):
        connector.plan(call("rollout_undo", revision=9))


def test_degrading_names_the_model_and_no_secret_is_kept(world, connector):
    planned = run(connector, call("degrade", container="main", to="rule_engine_v2"))
    env = world.deployment()["spec"]["template"]["spec"]["containers"][0]["env"]

    assert env == [
        {"name": "TOKEN", "value": "hush"},
        {"name": "MODEL", "value": "rule_engine_v2"},
    ]
    assert "hush" not in repr(planned)
    assert planned.summary.endswith("planner:2, sidecar:1 -> to rule_engine_v2")


def test_which_container_is_asked_for(connector):
    with pytest.raises(ConnectorError, match="Known: main, sidecar"):
        connector.plan(call("degrade", image="planner:safe"))
    with pytest.raises(ConnectorError, match="degrade"):
        connector.plan(call("degrade", container="main"))


def test_without_older_templates_degrading_cannot_be_undone(world, connector):
    with httpx.Client(base_url=world.url) as client:
        sets = f"/apis/apps/v1/namespaces/{world.namespace}/replicasets"
        for n in (1, 2):
            client.delete(f"{sets}/planner-{n}").raise_for_status()
    planned = connector.plan(DEGRADE)

    assert planned.undo is None
    assert "revisionHistoryLimit" in planned.undoes_with


def test_a_scaler_at_work_does_not_stop_a_restart(world, connector):
    planned = connector.plan(call("restart"))
    world.patch({"spec": {"replicas": 8}})
    connector.apply(call("restart"), before=planned.before, key="k")

    assert world.deployment()["spec"]["replicas"] == 8


def test_nodes_of_the_last_region_are_never_closed(world, connector):
    run(connector, call("cordon", "us"))

    with pytest.raises(ConnectorError, match="nothing could be placed any more"):
        connector.plan(call("cordon", "eu"))
    run(connector, call("uncordon", "us"), "rep-2/1")


def test_nodes_closed_by_somebody_else_stay_closed_when_it_is_undone(world, connector):
    name = min(world.state()["nodes"])
    with httpx.Client(base_url=world.url) as client:
        path, body = f"/api/v1/nodes/{name}", {"spec": {"unschedulable": True}}
        client.patch(path, json=body, headers=MERGE).raise_for_status()
    before = world.state()
    planned = run(connector, call("cordon", "eu"))
    closed = world.state()["nodes"]
    connector.undo(planned.undo, before=planned.before, key="rep-1/1")

    assert [node for node, shut in closed.items() if shut] == sorted(
        node for node in closed if node.startswith("eu")
    )
    assert world.state() == before


def test_a_deployment_that_is_not_there_is_told(connector):
    with pytest.raises(ConnectorError, match="expected Deployment default/nowhere"):
        connector.plan(call("restart", "gone"))


def test_restore_is_only_for_undoing(connector):
    with pytest.raises(ConnectorError, match="not planned itself"):
        connector.plan(call("restore", made={"replicas": 1}))
