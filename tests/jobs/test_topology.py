from dataclasses import replace

import pyarrow as pa
import pytest

from graphmind.archive.duck import DuckArchive
from graphmind.errors import UnknownName
from graphmind.jobs.picture import Edge, Node
from graphmind.jobs.topology import topology
from tests.archive.rows import facts

CAUSE = {
    "rank": 1,
    "label": "agent a + region r",
    "all_of": [{"kind": "agent", "name": "a"}, {"kind": "region", "name": "r"}],
    "failed_with": 2.0,
    "passed_with": 1.0,
}
INCIDENT: dict[str, object] = {
    "incident_id": "inc",
    "title": "2 traces fail",
    "trace_ids": ["t1", "t2"],
    "causes": [CAUSE],
}
VERDICT = (
    Node(node_id="inc", kind="incident", name="2 traces fail", traces=2, others=0),
    Node(
        node_id="inc:1",
        kind="cause",
        name="agent a + region r",
        traces=2,
        others=1,
        failing_share=0.6667,
    ),
)


@pytest.fixture
def archive():
    with DuckArchive(None) as opened:
        opened.save_incidents("run", [INCIDENT])
        yield opened


def item(kind, name, traces, others, **more):
    own = {"node_id": f"{kind}:{name}", "kind": kind, "name": name}
    return Node(**own, traces=traces, others=others, failing_share=0.0, **more)


def unplaced(nodes):
    """Nodes without where they are drawn."""
    return [replace(node, x=0.0, y=0.0) for node in nodes]


def edges(kind, *ends):
    return tuple(
        Edge(source=source, target=target, kind=kind, traces=traces)
        for source, target, traces in ends
    )


CAUSED = edges("CAUSED_BY", ("inc", "inc:1", 2)) + edges(
    "NAMES", ("inc:1", "agent:a", 2), ("inc:1", "region:r", 2)
)


def test_traces_are_collapsed_to_counts_of_what_they_touch(archive):
    touched = [
        ("t1", "agent", "a"),
        ("t2", "agent", "a"),
        ("t3", "agent", "a"),
        ("t1", "region", "r"),
        ("t2", "tool", "k"),
        ("t3", "tool", "other"),
    ]
    archive.store_facts(facts(("t1", 1), ("t2", 2), ("t3", 3), items=touched))

    drawn = topology(archive, "inc", nodes_max=10)

    group = Node(
        node_id="traces::", kind="traces", name="no task, outcome unknown", traces=2, others=0
    )
    assert unplaced(drawn.nodes) == [
        *VERDICT,
        item("agent", "a", 2, 1),
        item("region", "r", 1, 0),
        group,
        item("tool", "k", 1, 0),
    ]
    assert drawn.edges == (
        *CAUSED,
        *edges("PART_OF", ("traces::", "inc", 2)),
        *edges("TOUCHED", ("inc", "agent:a", 2), ("inc", "region:r", 1), ("inc", "tool:k", 1)),
        *edges("TOUCHED_TOGETHER", ("agent:a", "region:r", 1), ("agent:a", "tool:k", 1)),
    )
    assert (drawn.hidden_nodes, drawn.hidden_edges, drawn.hidden_traces) == (0, 0, 0)


def test_an_incident_whose_traces_were_pruned_still_shows_its_verdict(archive):
    drawn = topology(archive, "inc", nodes_max=10)

    assert unplaced(drawn.nodes) == [*VERDICT, item("agent", "a", 0, 0), item("region", "r", 0, 0)]
    assert drawn.edges == CAUSED


FAILING = [("agent", "a"), ("region", "r"), ("tool", "k"), ("module", "m")]


def planted(archive, *, healthy=90, **changed):
    """Ten traces that fail at module m on agent a, among healthy ones that pass it on others."""
    own, rest = [f"f{n}" for n in range(10)], [f"h{n}" for n in range(healthy)]
    touched = [(each, kind, name) for each in own for kind, name in FAILING]
    touched += [(each, "agent", f"b{n % 7}") for n, each in enumerate(rest)]
    touched += [(each, "module", "m") for each in rest]
    made = facts(*((each, n) for n, each in enumerate([*own, *rest])), items=touched)
    shown = [{"trace_id": each, "kind": "error", "channel": "error"} for each in own]
    symptoms = pa.Table.from_pylist(shown, schema=made.symptoms.schema)
    archive.store_facts(replace(made, symptoms=symptoms))
    incident = INCIDENT | {"trace_ids": own, "root_module": "m", "symptom": "error"} | changed
    archive.save_incidents("run", [incident])


def marks(drawn):
    return {node.node_id: node.mark for node in drawn.nodes if node.mark}


def test_hot_zones_and_break_points_are_marked(archive):
    planted(archive)
    drawn = topology(archive, "inc", nodes_max=100)
    shares = {node.node_id: node.failing_share for node in drawn.nodes}

    assert marks(drawn) == {
        "agent:a": "hot_zone",
        "region:r": "hot_zone",
        "tool:k": "hot_zone",
        "module:m": "break_point",
    }
    assert (shares["agent:a"], shares["module:m"]) == (1.0, 0.1)


def test_where_traces_go_round_a_loop_is_marked(archive):
    planted(archive, symptom="loop")

    assert marks(topology(archive, "inc", nodes_max=100))["module:m"] == "loop"


def test_places_are_the_same_for_every_reader_and_cut(archive):
    planted(archive)
    whole, cut = (topology(archive, "inc", nodes_max=most) for most in (1500, 4))
    places = {node.node_id: (node.x, node.y) for node in whole.nodes}

    assert len(set(places.values())) == len(places)
    assert all(-1 <= at <= 1 for place in places.values() for at in place)
    assert places["inc"] == (0, 0)
    assert {node.node_id: (node.x, node.y) for node in cut.nodes}.items() <= places.items()


def test_a_picture_is_drawn_anew_when_the_incident_has_other_traces(archive):
    planted(archive)
    before = topology(archive, "inc", nodes_max=100)
    archive.save_incidents("run", [archive.incident("inc") | {"trace_ids": ["f0", "f1"]}])

    assert before.nodes[0].traces == 10
    assert topology(archive, "inc", nodes_max=100).nodes[0].traces == 2


def test_expanding_a_node_adds_what_its_traces_touch_as_well(archive):
    planted(archive)
    cut = topology(archive, "inc", nodes_max=4)
    more = topology(archive, "inc", nodes_max=4, expand="agent:a")
    added = {node.node_id for node in more.nodes} - {node.node_id for node in cut.nodes}

    assert added == {"tool:k", "module:m"}
    assert {(e.source, e.target, e.traces) for e in more.edges} - {
        (e.source, e.target, e.traces) for e in cut.edges
    } == {("agent:a", "tool:k", 10), ("agent:a", "module:m", 10)}
    assert more.hidden_nodes == cut.hidden_nodes - 2


def test_a_node_that_is_not_there_cannot_be_expanded(archive):
    planted(archive)
    with pytest.raises(UnknownName, match="agent:zoe"):
        topology(archive, "inc", nodes_max=4, expand="agent:zoe")


def test_an_incident_that_does_not_exist_is_unknown(archive):
    with pytest.raises(UnknownName):
        topology(archive, "nope", nodes_max=10)
