import pytest

from graphmind.archive.port import Selection


@pytest.fixture(scope="module", params=[0, 1])
def incident(request, stores):
    return stores.archive.incidents()[request.param]


@pytest.fixture
def drawn(client, incident):
    def draw(**params):
        path = f"/api/v1/incidents/{incident['incident_id']}/topology"
        answer = client.get(path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return draw


def node_ids(topology):
    return [node["node_id"] for node in topology["nodes"]]


def test_the_incident_comes_first_then_its_causes_then_what_they_name(drawn, incident):
    own = incident["incident_id"]
    cause = incident["causes"][0]
    named = [f"{item['kind']}:{item['name']}" for item in cause["all_of"]]

    topology = drawn()

    assert len(incident["causes"]) == 1
    assert topology["incident_id"] == own
    assert node_ids(topology)[: 2 + len(named)] == [own, f"{own}:1", *named]
    assert topology["edges"][: 1 + len(named)] == [
        {
            "source": source,
            "target": target,
            "kind": kind,
            "traces": round(cause["failed_with"]),
        }
        for source, target, kind in [
            (own, f"{own}:1", "CAUSED_BY"),
            *((f"{own}:1", name, "NAMES") for name in named),
        ]
    ]


def test_an_item_counts_the_traces_that_touch_it(drawn, incident, stores):
    items = stores.archive.facts(Selection()).items.to_pylist()
    own = set(incident["trace_ids"])
    regions = {item["name"] for item in items if item["kind"] == "region"}

    shown = {n["name"]: n for n in drawn(nodes_max=1500)["nodes"] if n["kind"] == "region"}

    touching = {
        name: {i["trace_id"] for i in items if (i["kind"], i["name"]) == ("region", name)}
        for name in regions
    }
    assert {name: node["traces"] for name, node in shown.items()} == {
        name: len(ids & own) for name, ids in touching.items() if ids & own
    }


def test_traces_that_touch_two_items_link_them(drawn, incident, stores):
    items = stores.archive.facts(Selection()).items.to_pylist()
    own = set(incident["trace_ids"])
    topology = drawn()
    link = next(e for e in topology["edges"] if e["kind"] == "TOUCHED_TOGETHER")

    both = [
        {i["trace_id"] for i in items if f"{i['kind']}:{i['name']}" == end and i["trace_id"] in own}
        for end in (link["source"], link["target"])
    ]
    assert link["traces"] == len(both[0] & both[1])


@pytest.mark.parametrize("nodes_max", [1, 3, 10, 200, 1500])
def test_nodes_are_capped_and_the_hidden_ones_counted(drawn, incident, nodes_max):
    whole, topology = drawn(nodes_max=1500), drawn(nodes_max=nodes_max)
    always = 1 + len(incident["causes"]) + sum(len(c["all_of"]) for c in incident["causes"])

    assert whole["hidden_nodes"] == 0
    assert len(topology["nodes"]) == min(max(nodes_max, always), len(whole["nodes"]))
    assert topology["hidden_nodes"] == len(whole["nodes"]) - len(topology["nodes"])
    assert topology["nodes"] == whole["nodes"][: len(topology["nodes"])]


def test_edges_join_nodes_that_are_shown_and_the_links_are_capped(drawn):
    topology = drawn(nodes_max=100)
    links = [edge for edge in topology["edges"] if edge["kind"] == "TOUCHED_TOGETHER"]

    ends = {edge[end] for edge in topology["edges"] for end in ("source", "target")}
    assert ends <= set(node_ids(topology))
    assert len(set(node_ids(topology))) == len(topology["nodes"])
    assert len(links) == 300
    assert topology["hidden_edges"] > 0
    assert links == sorted(links, key=lambda link: -link["traces"])


def test_the_picture_is_the_same_every_time(drawn):
    assert drawn() == drawn()


@pytest.mark.parametrize("nodes_max", [0, 1501, "all"])
def test_a_cap_out_of_bounds_is_refused(client, incident, nodes_max):
    path = f"/api/v1/incidents/{incident['incident_id']}/topology"
    answer = client.get(path, params={"nodes_max": nodes_max})

    assert answer.status_code == 422
    assert [error["location"] for error in answer.json()["errors"]] == ["query.nodes_max"]
