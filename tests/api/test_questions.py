from concurrent.futures import ThreadPoolExecutor

import pytest

from graphmind.graph.questions import list_questions, question

PATH = "/api/v1/questions"


def asked(client, name, **parameters):
    return client.post(f"{PATH}/{name}", json={"parameters": parameters})


def test_every_question_is_listed_with_what_it_takes(client):
    listed = client.get(PATH).json()["items"]

    assert [item["name"] for item in listed] == [q.name for q in list_questions()]
    causes = next(item for item in listed if item["name"] == "incident_causes")
    assert causes["parameters"][0] == {
        "name": "incident_id",
        "type": "string",
        "default": "",
        "meaning": "one incident; empty for all",
    }
    assert [c["name"] for c in causes["columns"]] == [
        name for name, _meaning in question("incident_causes").columns
    ]


def test_the_questions_of_one_category_are_listed_alone(client):
    listed = client.get(PATH, params={"category": "lineage"}).json()["items"]

    assert {item["category"] for item in listed} == {"lineage"}
    assert "patient_zero" in {item["name"] for item in listed}
    refused = client.get(PATH, params={"category": "nope"})
    assert (refused.status_code, refused.json()["type"]) == (404, "urn:graphmind:unknown-name")
    assert "Known: triage, shared_cause" in refused.json()["detail"]


def test_a_question_is_answered_from_the_graph(client, stores):
    incident = stores.archive.incidents()[0]

    answer = asked(client, "incident_causes", incident_id=incident["incident_id"]).json()

    assert answer["question"] == "incident_causes"
    assert [(row["title"], row["cause"]) for row in answer["rows"]] == [
        (incident["title"], incident["causes"][0]["label"]),
        *((incident["title"], f"{e['kind']} {e['name']}") for e in incident["effects"]),
    ]
    assert list(answer["rows"][0]) == [column["name"] for column in answer["columns"]]


def test_text_is_read_as_the_parameters_type(client):
    assert len(asked(client, "slowest_modules", limit="2").json()["rows"]) == 2


def test_an_empty_graph_answers_no_rows(empty):
    assert asked(empty, "incident_causes").json()["rows"] == []


def test_questions_asked_at_once_are_answered_as_one_by_one(client):
    names = ["incident_causes", "error_codes_by_module", "hand_offs", "continuation_chains"]
    alone = [asked(client, name).json() for name in names]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda name: asked(client, name).json(), names * 2))

    assert together == alone * 2


@pytest.mark.parametrize(
    ("name", "parameters", "status", "kind"),
    [
        ("nothing", {}, 404, "urn:graphmind:unknown-name"),
        ("..%2Fschema", {}, 404, "about:blank"),
        ("incident_causes", {"colour": 1}, 404, "urn:graphmind:unknown-name"),
        ("incident_resources", {}, 400, "urn:graphmind:query-refused"),
        ("incident_causes", {"limit": "many"}, 400, "urn:graphmind:query-refused"),
        ("incident_causes", {"limit": -1}, 400, "urn:graphmind:query-refused"),
        ("incident_causes", {"limit": str(2**64)}, 400, "urn:graphmind:query-refused"),
        ("incident_causes", {"limit": 2**63}, 400, "urn:graphmind:query-refused"),
        ("incident_causes", {"limit": 1e300}, 400, "urn:graphmind:query-refused"),
        ("incident_causes", {"limit": [1]}, 422, "about:blank"),
        ("incident_causes", {"limit": None}, 422, "about:blank"),
    ],
)
def test_a_question_that_does_not_fit_is_refused(client, name, parameters, status, kind):
    answer = asked(client, name, **parameters)

    assert (answer.status_code, answer.json()["type"]) == (status, kind)
