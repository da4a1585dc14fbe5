import pytest

PATH = "/browser/guides"
BROWSER = {"Origin": "http://127.0.0.1:7474"}


@pytest.mark.parametrize(
    ("name", "kind"), [("triage.html", "text/html"), ("triage.adoc", "text/asciidoc")]
)
def test_a_guide_is_open_to_a_page_of_any_origin(client, name, kind):
    answer = client.get(f"{PATH}/{name}", headers={**BROWSER, "Authorization": ""})

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(kind)
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "Triage an incident" in answer.text


def test_the_browser_may_send_the_headers_it_sends(client):
    asked = {
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "cache-control,pragma",
    }
    answer = client.options(f"{PATH}/triage.html", headers={**BROWSER, **asked})

    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "pragma" in answer.headers["access-control-allow-headers"]


@pytest.mark.parametrize("path", ["/api/v1/questions", "/healthz", "/browser/guides"])
def test_other_routes_stay_closed_to_pages_of_other_origins(client, path):
    assert "access-control-allow-origin" not in client.get(path, headers=BROWSER).headers


@pytest.mark.parametrize(
    "name", ["nope.html", "..%2Fgraphmind.grass", "%2e%2e/graphmind.grass", "..%5Cx", "%00", ""]
)
def test_only_guides_are_served(client, name):
    answer = client.get(f"{PATH}/{name}")

    assert answer.status_code == 404
    assert "node.Trace" not in answer.text
