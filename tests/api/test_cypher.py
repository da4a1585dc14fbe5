"""An analyst's own Cypher: what reads is answered, all else refused or ended."""

import time

import pytest

PATH = "/api/v1/cypher"


def run(client, query, **more):
    return client.post(PATH, json={"query": query, **more})


def test_rows_come_in_the_order_of_the_columns(client, stores):
    text = "MATCH (i:Incident) RETURN i.title AS title, i.incidentId AS id ORDER BY id"
    found = run(client, text).json()

    assert found["columns"] == ["title", "id"]
    assert found["rows"] == [[i["title"], i["incident_id"]] for i in stores.archive.incidents()]
    assert not found["truncated"]


def test_parameters_are_bound(client):
    found = run(client, "RETURN $one + 1 AS two, $list AS l", parameters={"one": 1, "list": [1]})

    assert found.json()["rows"] == [[2, [1]]]


def test_more_rows_than_the_limit_are_cut_and_said(client):
    found = run(client, "UNWIND range(1, 50) AS n RETURN n", limit=7).json()

    assert [row[0] for row in found["rows"]] == list(range(1, 8))
    assert found["truncated"]


def test_nodes_and_times_become_json(client):
    found = run(client, "MATCH (i:Incident) RETURN i, datetime() AS now LIMIT 1").json()

    assert found["rows"][0][0]["incidentId"].startswith("inc-")
    assert isinstance(found["rows"][0][1], str)


@pytest.mark.parametrize(
    "query",
    [
        "CREATE (n:Incident {incidentId: 'made up'}) RETURN n",
        "MATCH (i:Incident) SET i.title = 'mine' RETURN i",
        "MATCH (i:Incident) DETACH DELETE i",
        "MERGE (n:Agent {key: 'x'}) RETURN n",
        "MATCH (i:Incident) REMOVE i.title RETURN i",
        "MATCH (i:Incident) CALL (i) { SET i.title = 'mine' } RETURN i",
        "CALL db.labels() YIELD label RETURN label",
        "/**/CALL/**/ dbms.procedures()",
        "LOAD CSV FROM 'file:///etc/passwd' AS row RETURN row",
        "load  csv FROM 'http://127.0.0.1/' AS row RETURN row",
        "DROP INDEX incident_id",
        "EXPLAIN MATCH (n) RETURN n",
        "RETURN '\\u0027' AS x",
        "MATCH (",
        "not cypher at all",
    ],
)
def test_what_does_not_only_read_is_refused_and_changes_nothing(client, stores, query):
    before = stores.graph.explore(
        "MATCH (i:Incident) RETURN i.title AS t ORDER BY t", {}, row_limit=9, timeout_s=5
    )
    answer = run(client, query)

    assert answer.status_code == 400, answer.text
    assert answer.json()["type"] == "urn:graphmind:query-refused"
    assert before == stores.graph.explore(
        "MATCH (i:Incident) RETURN i.title AS t ORDER BY t", {}, row_limit=9, timeout_s=5
    )


@pytest.mark.slow
def test_a_statement_without_end_is_ended_and_the_server_goes_on(client):
    began = time.monotonic()
    answer = run(
        client,
        "UNWIND range(1, 1000000) AS a UNWIND range(1, 1000000) AS b "
        "WITH a, b WHERE a * b < 0 RETURN count(*) AS n",
    )

    assert answer.status_code == 400, answer.text
    assert time.monotonic() - began < 60
    assert run(client, "RETURN 1 AS one").json()["rows"] == [[1]]


@pytest.mark.parametrize(
    ("body", "location"),
    [
        ({}, "body.query"),
        ({"query": ""}, "body.query"),
        ({"query": "x" * 20_001}, "body.query"),
        ({"query": "RETURN 1", "limit": 0}, "body.limit"),
        ({"query": "RETURN 1", "limit": 5_001}, "body.limit"),
        ({"query": "RETURN 1", "parameters": []}, "body.parameters"),
    ],
)
def test_a_body_that_does_not_fit_is_refused(client, body, location):
    answer = client.post(PATH, json=body)

    assert answer.status_code == 422
    assert [error["location"] for error in answer.json()["errors"]] == [location]
