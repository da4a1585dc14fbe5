import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphmind.errors import StoreError
from graphmind.graph.port import GraphRows
from graphmind.graph.rows import (
    ROWS_A_STATEMENT,
    merged_edges,
    merged_nodes,
    rows_of,
    statements,
)
from graphmind.graph.schema import NODES, Agent, AgentInstance, Change, ModelVersion
from tests.graph.planted import planted


def test_nodes_come_before_relationships_in_sorted_batches():
    names = [f"{n:05}" for n in range(2 * ROWS_A_STATEMENT + 1)]
    rows = GraphRows(
        edges={("Trace", "CALLED", "Tool"): [{"from": "t", "to": names[0]}]},
        nodes={"Tool": [{"name": name} for name in reversed(names)], "Trace": [{"traceId": "t"}]},
    )

    written = list(statements(rows))

    assert [(s.creates, len(s.rows)) for s in written] == [
        ("Tool", ROWS_A_STATEMENT),
        ("Tool", ROWS_A_STATEMENT),
        ("Tool", 1),
        ("Trace", 1),
        ("CALLED", 1),
    ]
    assert [row["id"] for s in written[:3] for row in s.rows] == names


def test_relationships_are_sorted_by_the_end_that_many_share():
    pairs = [("t2", "b"), ("t1", "b"), ("t2", "a"), ("t1", "a")]
    rows = GraphRows(edges={("Trace", "CALLED", "Tool"): [{"from": f, "to": t} for f, t in pairs]})

    assert [(f, t) for f, t, _ in merged_edges(rows)["Trace", "CALLED", "Tool"]] == [
        ("t1", "a"),
        ("t2", "a"),
        ("t1", "b"),
        ("t2", "b"),
    ]


def test_absent_values_are_omitted():
    rows = GraphRows(nodes={"Agent": [{"key": "a", "status": None, "version": "2"}]})

    assert [s.rows for s in statements(rows)] == [
        [{"id": "a", "first": None, "last": None, "props": {"version": "2"}}]
    ]


def test_rows_of_one_key_complete_each_other_and_widen_the_time_seen():
    rows = GraphRows(
        nodes={
            "Region": [
                {"name": "eu", "firstSeenMs": 5, "lastSeenMs": 6},
                {"name": "eu", "firstSeenMs": 1, "lastSeenMs": 2},
                {"name": "eu", "firstSeenMs": None},
            ]
        }
    )

    assert merged_nodes(rows)["Region"] == [
        ("eu", {"name": "eu", "firstSeenMs": 1, "lastSeenMs": 6})
    ]


def test_the_rows_given_are_left_as_they_were():
    rows, untouched = planted(), planted()

    list(statements(rows))

    assert rows == untouched


@given(st.permutations(planted().nodes["Trace"]))
def test_the_order_of_rows_does_not_matter(traces):
    given_order = statements(GraphRows(nodes={"Trace": traces}))

    assert list(given_order) == list(
        statements(GraphRows(nodes={"Trace": planted().nodes["Trace"]}))
    )


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (GraphRows(nodes={"Nope": []}), "no node 'Nope'; it knows Trace, Span"),
        (GraphRows(nodes={"Tool": [{"name": "x", "colour": 1}]}), "Tool has no property colour"),
        (GraphRows(nodes={"Tool": [{}]}), r"Tool\.name should be text that is not empty, got None"),
        (GraphRows(edges={("Trace", "NOPE", "Tool"): []}), "no relationship .*'NOPE'"),
        (GraphRows(edges={("Tool", "CALLED", "Trace"): []}), "no relationship .*'CALLED'"),
        (
            GraphRows(edges={("Trace", "CALLED", "Tool"): [{"from": "t", "to": ""}]}),
            r"CALLED\.to should be text that is not empty, got ''",
        ),
    ],
)
def test_rows_that_the_schema_does_not_allow_are_refused(rows, message):
    with pytest.raises(StoreError, match=message):
        list(statements(rows))


def test_an_inventory_becomes_nodes_and_the_relationships_its_fields_name():
    rows = rows_of(
        [
            Agent(key="shop/router", region="eu"),
            AgentInstance(instance_id="router-0", agent="shop/router"),
            ModelVersion(key="m@2", model="m", previous="m@1", released_ms=900),
            Change(key="c1", kind="deploy", target="m@2", target_label="ModelVersion", at_ms=900),
        ]
    )

    assert {label: [key for key, _ in found] for label, found in merged_nodes(rows).items()} == {
        "Agent": ["shop/router"],
        "Region": ["eu"],
        "AgentInstance": ["router-0"],
        "ModelVersion": ["m@1", "m@2"],
        "Model": ["m"],
        "Change": ["c1"],
    }
    assert rows.edges == {
        ("Agent", "LOCATED_IN", "Region"): [{"from": "shop/router", "to": "eu"}],
        ("AgentInstance", "RUNS", "Agent"): [{"from": "router-0", "to": "shop/router"}],
        ("ModelVersion", "VERSION_OF", "Model"): [{"from": "m@2", "to": "m"}],
        ("ModelVersion", "PREVIOUS", "ModelVersion"): [{"from": "m@2", "to": "m@1"}],
        ("Change", "CHANGED", "ModelVersion"): [{"from": "c1", "to": "m@2"}],
    }


def test_a_change_does_not_create_what_it_names():
    rows = rows_of([Change(key="c1", target="absent", target_label="Agent")])

    assert set(rows.nodes) == {"Change"}


@pytest.mark.parametrize("node", NODES.values(), ids=NODES)
def test_every_node_type_can_be_written_from_an_instance(node):
    rows = rows_of([node(**{node.KEY: "x"})])

    assert [key for key, _ in merged_nodes(rows)[node.__name__]] == ["x"]
