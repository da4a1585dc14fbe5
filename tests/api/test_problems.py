import pytest
from graphmind_api.app import create_app
from graphmind_api.body_limit import BODY_BYTES_MAX

from graphmind.errors import SourceError
from tests.api.conftest import serving


@pytest.fixture(scope="module")
def broken(stores, settings):
    """An app with a route that fails as no route should."""
    app = create_app(stores, settings)

    @app.get("/bug")
    def bug():
        raise ZeroDivisionError

    @app.get("/unforeseen")
    def unforeseen():
        raise SourceError("secret.json cannot be read")

    with serving(app) as client:
        yield client


def test_a_path_that_does_not_exist_is_a_problem(client):
    answer = client.get("/api/v1/nowhere")

    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, answer.json()) == (
        404,
        {
            "type": "about:blank",
            "title": "Not Found",
            "status": 404,
            "detail": "Not Found",
            "instance": "/api/v1/nowhere",
        },
    )


def test_a_method_that_is_not_allowed_names_those_that_are(client):
    answer = client.put("/api/v1/incidents")

    assert answer.status_code == answer.json()["status"] == 405
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["allow"] == "GET"


def test_a_wrong_request_lists_everything_wrong_with_it(client):
    answer = client.get("/api/v1/incidents?limit=0&cursor=x")

    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"] == [
        {
            "location": "query.cursor",
            "detail": "Input should be the next_cursor of a page before, as it was given",
        },
        {"location": "query.limit", "detail": "Input should be greater than or equal to 1"},
    ]


def test_a_body_at_the_limit_is_read_and_one_beyond_it_is_not(client):
    def sent(content):
        return client.post(
            "/api/v1/root-cause", content=content, headers={"content-type": "application/json"}
        )

    assert sent(b" " * BODY_BYTES_MAX).status_code == 422
    answer = sent(b" " * (BODY_BYTES_MAX + 1))
    assert answer.status_code == answer.json()["status"] == 413
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_streamed_body_is_cut_off_at_the_limit(client):
    answer = client.post(
        "/api/v1/root-cause",
        content=iter([b" " * 1_000_000] * 11),
        headers={"content-type": "application/json"},
    )

    assert answer.status_code == 413


@pytest.mark.parametrize("path", ["/bug", "/unforeseen"])
def test_a_fault_of_the_server_is_a_problem_that_tells_nothing_of_the_inside(broken, path):
    answer = broken.get(path)

    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "about:blank",
        "title": "Internal Server Error",
        "status": 500,
        "detail": "This is a fault of the server; its log says more. "
        "Other requests are not affected.",
        "instance": path,
    }


def test_a_fault_of_the_server_is_logged_with_its_cause(broken, caplog):
    broken.get("/bug")

    record = next(r for r in caplog.records if r.name == "graphmind_api.problems")
    assert record.exc_info[0] is ZeroDivisionError
    assert record.getMessage() == "request_failed method=GET path=/bug"
