import re

import pytest

from graphmind.graph.schema import EDGES, NODES, declared, key_of, properties, relationship
from graphmind.graph.texts import edge_text, node_text, schema_texts

DECLARED = list(NODES.values()) + list(EDGES.values())


@pytest.mark.parametrize("cls", DECLARED, ids=lambda cls: cls.__name__)
def test_a_declaration_is_its_own_documentation(cls):
    assert re.fullmatch(r"[A-Z].*\.", cls.__doc__)
    assert all(p.meaning for p in declared(cls))


@pytest.mark.parametrize("cls", DECLARED, ids=lambda cls: cls.__name__)
def test_stored_names_are_lower_camel_case_with_the_unit_last(cls):
    for p in properties(cls):
        assert re.fullmatch(r"[a-z0-9]+([A-Z][a-z0-9]*)*", p.stored)
        assert p.stored.endswith("Ms") == (p.unit in ("ms", "epoch ms")), p.stored


def test_labels_and_types_are_named_as_cypher_names_them():
    assert all(re.fullmatch(r"([A-Z][a-z]+)+", label) for label in NODES)
    assert all(re.fullmatch(r"[A-Z]+(_[A-Z]+)*", type_) for type_ in EDGES)
    assert relationship(EDGES["CAUSED_BY"]) == "CAUSED_BY"


@pytest.mark.parametrize("edge", EDGES.values(), ids=EDGES)
def test_a_relationship_joins_declared_labels(edge):
    assert edge.ENDS
    assert {label for ends in edge.ENDS for label in ends} <= set(NODES)


@pytest.mark.parametrize("cls", DECLARED, ids=lambda cls: cls.__name__)
def test_a_reference_is_a_declared_relationship(cls):
    for p in declared(cls):
        assert p.ref is None or (cls.__name__, p.ref.label) in EDGES[p.ref.type].ENDS


def test_what_an_analysis_run_finds_carries_the_run():
    for cls in DECLARED:
        assert ("runId" in {p.stored for p in declared(cls)}) == cls.DERIVED


def test_every_key_has_a_uniqueness_constraint_and_nothing_that_needs_an_enterprise_server():
    texts = list(schema_texts())

    for label, node in NODES.items():
        wanted = f"FOR (n:{label}) REQUIRE n.{key_of(node)} IS UNIQUE"
        assert sum(text.endswith(wanted) for text in texts) == 1
    assert all("IF NOT EXISTS" in text for text in texts)
    assert not any(
        word in text for text in texts for word in ("NODE KEY", "IS NOT NULL", "::", "TYPED")
    )


def test_nodes_are_merged_by_key_and_relationships_by_their_ends():
    assert node_text("Span") == (
        "UNWIND $rows AS r WITH r, r.id AS id MERGE (n:Span {spanId: id}) SET n += r.props"
    )
    assert edge_text("CALLED", "Trace", "Tool") == (
        "UNWIND $rows AS r MATCH (a:Trace {traceId: r.from}) MATCH (b:Tool {name: r.to}) "
        "MERGE (a)-[e:CALLED]->(b) RETURN count(*) AS matched"
    )
    assert edge_text("READ", "Trace", "KvKey").endswith(
        "MERGE (a)-[e:READ]->(b) SET e += r.props RETURN count(*) AS matched"
    )
