from pathlib import Path

import orjson

README = Path(__file__).parents[2] / "api" / "README.md"


def described(client):
    return client.get("/api/v1/openapi.json").json()


def operations(document):
    return [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_the_description_is_the_golden_one(client, assert_golden):
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
    assert_golden("openapi.json", orjson.dumps(described(client), option=options).decode())


def test_every_error_described_is_a_problem(client):
    for path, _method, operation in operations(described(client)):
        for status, response in operation["responses"].items():
            if status[0] not in "23" and (path, status) != ("/readyz", "503"):
                assert list(response["content"]) == ["application/problem+json"]


def test_every_route_says_what_it_does(client):
    for _path, _method, operation in operations(described(client)):
        assert operation["summary"]
        assert operation["description"]


def test_every_reference_in_the_description_leads_somewhere(client):
    document = described(client)
    text = orjson.dumps(document).decode()
    names = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}

    assert names == set(document["components"]["schemas"])


def test_every_route_is_in_the_readme(client):
    readme = README.read_text(encoding="utf-8")

    for path, method, _operation in operations(described(client)):
        assert f"`{method.upper()} {path}" in readme
