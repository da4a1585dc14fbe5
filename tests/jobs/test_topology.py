import pytest

from graphmind.archive.duck import DuckArchive
from graphmind.errors import UnknownName
from graphmind.jobs.topology import Edge, Node, Topology, topology
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
    Node(node_id="inc:1", kind="cause", name="agent a + region r", traces=2, others=1),
)


@pytest.fixture
def archive():
    with DuckArchive(None) as opened:
        opened.save_incidents("run", [INCIDENT])
        yield opened


def item(kind, name, traces, others):
    return Node(node_id=f"{kind}:{name}", kind=kind, name=name, traces=traces, others=others)


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

    assert topology(archive, "inc", nodes_max=10) == Topology(
        incident_id="inc",
        nodes=(
            *VERDICT,
            item("agent", "a", 2, 1),
            item("region", "r", 1, 0),
            item("tool", "k", 1, 0),
        ),
        edges=(
            *CAUSED,
            *edges("TOUCHED", ("inc", "agent:a", 2), ("inc", "region:r", 1), ("inc", "tool:k", 1)),
            *edges("TOUCHED_TOGETHER", ("agent:a", "region:r", 1), ("agent:a", "tool:k", 1)),
        ),
        hidden_nodes=0,
        hidden_edges=0,
    )


def test_an_incident_whose_traces_were_pruned_still_shows_its_verdict(archive):
    assert topology(archive, "inc", nodes_max=10) == Topology(
        incident_id="inc",
        nodes=(*VERDICT, item("agent", "a", 0, 0), item("region", "r", 0, 0)),
        edges=CAUSED,
        hidden_nodes=0,
        hidden_edges=0,
    )


def test_an_incident_that_does_not_exist_is_unknown(archive):
    with pytest.raises(UnknownName):
        topology(archive, "nope", nodes_max=10)
