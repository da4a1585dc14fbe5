"""Who may call which route. They come from the app, so that a new one is covered by itself."""

import logging
import re
from typing import Any

import httpx
import pytest
from graphmind_api.access.doors import now_ms
from graphmind_api.app import create_app
from graphmind_api.console import router as console
from graphmind_api.context import API
from starlette.routing import Mount

from graphmind.access.keys import DAY_MS
from graphmind.access.roles import ROLES, covers
from graphmind.settings import Settings
from graphmind.wiring import open_stores
from tests.api.conftest import serving
from tests.api.repairing import desk_over

OPEN = {"/healthz", "/readyz", "/metrics", "/version", "/login", "/logout"}
OPEN |= {"/browser/guides/x"}
"""Paths that need no login."""
pages: list[Any] = list(console.routes)
CONSOLE = {re.sub(r"{[^}]*}", "x", route.path) for route in pages}
"""The page that draws every screen; what it shows it asks of the API."""
SENDERS = f"{API}/alerts/in"
OTLP_TOKEN = "of-the-senders"
JWT_NONE = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIiwicm9sZXMiOlsiYWRtaW4iXX0."
PROBLEM = "application/problem+json"


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("guarded"),
        otlp_token=OTLP_TOKEN,
        hosts="graphmind.example",
        cors_origins="https://portal.example",
    )
    with open_stores(settings) as stores:
        yield create_app(stores, settings, None, desk_over(stores, settings, None))


@pytest.fixture(scope="module")
def admin(app):
    with serving(app) as client:
        yield client


@pytest.fixture(scope="module")
def stranger(admin):
    with httpx.Client(base_url=admin.base_url, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def tokens(app):
    keys = app.state.doors.keys
    return {role: keys.create(f"{role}-key", role, now_ms=now_ms()) for role in ROLES}


@pytest.fixture(scope="module")
def routes(app):
    """Method, path with names filled in, and the roles that the description says."""
    found = [
        (method, re.sub(r"{[^}]*}", "x", path), operation)
        for path, methods in app.openapi()["paths"].items()
        for method, operation in methods.items()
    ]
    return [
        (method.upper(), path, needed(operation))
        for method, path, operation in found
        if path not in OPEN | {SENDERS}
    ] + [("GET", f"{API}/openapi.json", {"viewer"})]


def needed(operation):
    return {
        role
        for scheme in operation.get("security", [])
        for roles in scheme.values()
        for role in roles
    }


def every(routes):
    for route in routes:
        inner = getattr(route, "original_router", None)  # of a router that was included
        yield from every(inner.routes) if inner else [route]


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def test_every_route_is_open_on_purpose_or_needs_a_role(app, routes):
    paths = {route.path for route in every(app.routes) if not isinstance(route, Mount)}
    asked = {re.sub(r"{[^}]*}", "x", path) for path in paths}
    outside = {path for path in asked if not path.startswith(API)}

    assert all(roles for _method, _path, roles in routes)
    assert {path for path in asked if path.startswith(API)} == {p for _m, p, _r in routes} | {
        SENDERS
    }
    assert outside - CONSOLE == OPEN


@pytest.mark.parametrize(
    "headers",
    [
        {},
        bearer("gmk_forged"),
        bearer(JWT_NONE),
        bearer(OTLP_TOKEN[:-1]),
        {"Authorization": "Basic YWRtaW46YWRtaW4="},
        {"Cookie": "graphmind_session=forged"},
        {"X-Graphmind-Actor": "root"},
    ],
    ids=["none", "forged", "alg-none", "cut", "basic", "cookie", "only-a-name"],
)
def test_no_route_answers_a_stranger(stranger, routes, headers):
    for method, path, _roles in [*routes, ("POST", SENDERS, set())]:
        answer = stranger.request(method, path, headers=headers)

        assert answer.status_code == 401, path
        assert answer.headers["www-authenticate"].startswith("Bearer"), path
        assert answer.headers["content-type"] == PROBLEM
        assert answer.json()["type"] == "urn:graphmind:unauthenticated"


def test_an_expired_key_opens_no_route(app, stranger, routes):
    token = app.state.doors.keys.create("late", "admin", now_ms=now_ms() - 2 * DAY_MS, days=1)

    statuses = {
        stranger.request(m, path, headers=bearer(token)).status_code for m, path, _r in routes
    }
    assert statuses == {401}


@pytest.mark.parametrize("role", ROLES)
def test_a_role_opens_what_it_covers_and_nothing_else(stranger, tokens, routes, role):
    for method, path, roles in routes:
        if path == f"{API}/commands/x" and role == "admin":
            continue  # With the local token alone: tests/cli/test_through_server.py.
        with stranger.stream(method, path, headers=bearer(tokens[role])) as answer:
            status, is_problem = answer.status_code, answer.headers.get("content-type") == PROBLEM
        if all(covers(role, each) for each in roles):
            assert status not in (401, 403), (method, path, status)
            assert status < 500 or status == 503, (method, path, status)
        else:
            assert (status, is_problem) == (403, True), (method, path)


def test_what_a_missing_role_means_is_said(stranger, tokens):
    answer = stranger.post(f"{API}/repairs/x/approve", json={}, headers=bearer(tokens["responder"]))

    assert answer.json()["type"] == "urn:graphmind:role-missing"
    assert (
        "needs the role approver, and responder-key has the role responder"
        in answer.json()["detail"]
    )


def test_senders_may_hand_alerts_in_and_nothing_else(stranger, tokens, routes):
    assert stranger.post(SENDERS, content=b"{}", headers=bearer(OTLP_TOKEN)).status_code == 503
    assert (
        stranger.post(SENDERS, content=b"{}", headers=bearer(tokens["responder"])).status_code
        == 503
    )
    assert (
        stranger.post(SENDERS, content=b"{}", headers=bearer(tokens["viewer"])).status_code == 403
    )
    statuses = {
        stranger.request(m, p, headers=bearer(OTLP_TOKEN)).status_code for m, p, _r in routes
    }
    assert statuses == {403}


def test_operations_need_no_login(stranger):
    for path in ("/healthz", "/readyz", "/metrics", "/version", "/login"):
        assert stranger.get(path).status_code == 200


def test_who_asks_is_told_who_they_are(stranger, tokens):
    me = stranger.get(f"{API}/me", headers=bearer(tokens["approver"]))

    assert me.json() == {
        "name": "approver-key", "role": "approver", "kind": "key", "expires_ms": None,
    }  # fmt: skip
    assert me.headers["cache-control"] == "no-store"


def stopped_by(client, token, name=None):
    """Release the stop of repairs; return the status, and whom the audit trail names."""
    headers = bearer(token) | ({} if name is None else {"X-Graphmind-Actor": name})
    answer = client.post(f"{API}/repairs/stop", json={"on": False}, headers=headers)
    trail = client.get(f"{API}/audit?limit=500", headers=bearer(token)).json()["items"]
    return answer.status_code, trail[-1]["who"] if answer.is_success else None


def test_the_trail_names_the_key_and_nobody_acts_in_the_name_of_another(stranger, tokens):
    assert stopped_by(stranger, tokens["admin"]) == (204, "admin-key")
    assert stopped_by(stranger, tokens["responder"], "responder-key") == (204, "responder-key")
    assert stopped_by(stranger, tokens["admin"], "rae") == (403, None)


def test_the_local_token_acts_in_the_name_of_whoever_holds_it(app, stranger):
    local = app.state.doors.local_token

    assert stopped_by(stranger, local) == (204, "local")
    assert stopped_by(stranger, local, "rae") == (204, "rae")
    for name in ("", "a\tb", "x" * 129):
        assert stopped_by(stranger, local, name) == (422, None)


def test_keys_are_made_shown_without_tokens_and_revoked(admin, stranger):
    made = admin.post(f"{API}/keys", json={"name": "bob", "role": "viewer", "expires_days": 1})
    token = made.json()["token"]

    assert made.status_code == 201
    assert stranger.get(f"{API}/me", headers=bearer(token)).json()["name"] == "bob"
    assert token not in admin.get(f"{API}/keys").text
    assert "sha256" not in admin.get(f"{API}/keys").text
    assert admin.post(f"{API}/keys", json={"name": "bob", "role": "admin"}).status_code == 409
    assert admin.delete(f"{API}/keys/bob").status_code == 204
    assert stranger.get(f"{API}/me", headers=bearer(token)).status_code == 401
    assert admin.delete(f"{API}/keys/bob").status_code == 404


@pytest.mark.parametrize("name", ["", "a b", "local", "a\nb", "../x", "x" * 65])
def test_a_key_with_a_name_that_no_trail_should_hold_is_refused(admin, name):
    assert admin.post(f"{API}/keys", json={"name": name, "role": "viewer"}).status_code == 422


def test_a_link_logs_a_browser_in_once(app, stranger):
    link = f"/login?code={app.state.doors.login_code()}"
    with httpx.Client(base_url=stranger.base_url) as browser:
        answer = browser.get(link)
        cookie = answer.headers["set-cookie"]

        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
        assert "Secure" not in cookie  # plain http on loopback: the cookie would not come back
        assert browser.get(f"{API}/me").json()["role"] == "admin"
    again = stranger.get(link)
    assert (again.status_code, "set-cookie" in again.headers) == (401, False)
    assert "opened before" in again.text


def test_a_session_changes_things_from_our_own_pages_only(app, stranger):
    own = str(stranger.base_url).rstrip("/")
    with httpx.Client(base_url=own) as browser:
        browser.get(f"/login?code={app.state.doors.login_code()}")
        body = {"on": False, "reason": ""}

        def stop(**headers):
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return browser.post(f"{API}/repairs/stop", json=body, headers=named).status_code

        assert stop() == 403
        assert stop(origin="https://evil.example") == 403
        assert stop(origin="null") == 403
        assert stop(sec_fetch_site="cross-site") == 403
        assert stop(sec_fetch_site="none") == 403
        assert stop(origin=own) == 204
        assert stop(sec_fetch_site="same-origin") == 204
        assert browser.post("/logout", headers={"origin": own}).status_code == 204
        assert stop(origin=own) == 401


def test_a_token_logs_in_by_form_and_by_json(stranger, tokens):
    with httpx.Client(base_url=stranger.base_url) as browser:
        assert browser.post("/login", data={"token": tokens["viewer"]}).status_code == 303
        assert browser.get(f"{API}/me").json()["name"] == "viewer-key"
    with httpx.Client(base_url=stranger.base_url) as browser:
        answer = browser.post("/login", json={"token": tokens["admin"]})
        assert answer.json() == {"name": "admin-key", "role": "admin"}
        assert browser.get(f"{API}/keys").status_code == 200
    assert stranger.post("/login", json={"token": "gmk_no"}).status_code == 401
    assert stranger.post("/login", data={"token": "gmk_no"}).status_code == 401
    assert stranger.post("/login", json={"token": 3}).status_code == 422
    assert (
        stranger.post("/login", content=b"\xff", headers={"content-type": "x"}).status_code == 422
    )
    assert stranger.post("/login", content=b"x" * 30_000).status_code == 413
    evil = {"origin": "https://evil.example"}
    assert (
        stranger.post("/login", data={"token": tokens["viewer"]}, headers=evil).status_code == 403
    )


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil:80", "", "a b"]
)
def test_a_name_that_is_not_ours_is_not_answered(admin, host):
    answer = admin.get(f"{API}/me", headers={"Host": host})

    assert answer.status_code in (400, 421)


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:1", "127.0.0.1", "[::1]:8460", "graphmind.example", "10.0.0.7:80"],
)
def test_our_names_and_addresses_are_answered(admin, host):
    assert admin.get(f"{API}/me", headers={"Host": host}).status_code == 200


def test_answers_say_what_a_browser_may_do_with_them(stranger, admin):
    page, data, refused = stranger.get("/login"), admin.get(f"{API}/me"), stranger.get(f"{API}/me")

    for answer in (page, data, refused):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
    assert "<script" not in page.text


def test_pages_of_other_origins_may_read_only_where_that_is_set(admin):
    def allowed(origin):
        answer = admin.get(f"{API}/me", headers={"Origin": origin})
        return answer.headers.get("access-control-allow-origin")

    asking = {"Origin": "https://portal.example", "Access-Control-Request-Method": "POST"}
    assert allowed("https://portal.example") == "https://portal.example"
    assert allowed("https://evil.example") is None
    assert admin.options(f"{API}/repairs/stop", headers=asking).status_code == 200
    portal = {"Origin": "https://portal.example"}
    assert admin.post(f"{API}/repairs/stop", json={"on": False}, headers=portal).status_code == 204


@pytest.mark.parametrize(
    "path",
    [
        f"{API}/../../etc/passwd",
        f"{API}/incidents/..%2f..%2f..%2fetc%2fpasswd",
        f"{API}/incidents/%2e%2e%2fkeys.json",
        f"{API}/questions/..%2f..%2fkeys",
        "/..%2fkeys.json",
        "/%2e%2e/token",
        f"/{API}/me/..%00",
    ],
)
def test_paths_lead_nowhere_else(admin, path):
    answer = admin.get(path)

    assert answer.status_code in (404, 405, 422)
    assert not [each for each in ("gmk_", "sha256", "root:") if each in answer.text]


def test_what_comes_in_does_not_become_a_header(admin):
    answer = admin.get(f"{API}/incidents/a%0d%0aSet-Cookie:%20x=1")

    assert answer.status_code == 404
    assert "set-cookie" not in answer.headers
    assert "\r" not in answer.json()["instance"]


def test_secrets_are_in_no_log_and_in_no_answer(app, admin, stranger, tokens, caplog):
    secret = "gmk_this-is-a-secret"
    with caplog.at_level(logging.DEBUG):
        answers = [
            stranger.get(f"{API}/me", headers=bearer(secret)),
            stranger.post("/login", json={"token": secret}),
            stranger.post("/login", data={"token": secret}),
            stranger.get("/login", params={"code": secret}),
            stranger.get(f"{API}/me", headers={"Cookie": f"graphmind_session={secret}"}),
            stranger.get(f"{API}/me", headers=bearer(tokens["viewer"])),
            admin.get(f"{API}/keys"),
            stranger.get("/metrics"),
        ]
    hidden = (secret, *tokens.values(), app.state.doors.local_token, OTLP_TOKEN)

    # The client logs addresses on its side, and `serve` switches the log of accesses off.
    logged = [
        each.getMessage()
        for each in caplog.records
        if not each.name.startswith(("http", "uvicorn.access"))
    ]
    for text in (*logged, *(answer.text for answer in answers)):
        assert not [each for each in hidden if each in text]


def test_a_caller_who_asks_too_often_waits(tmp_path):
    settings = Settings(data_dir=tmp_path, requests_a_minute=3)
    with open_stores(settings) as stores, serving(create_app(stores, settings)) as client:
        answers = [client.get(f"{API}/me") for _ in range(4)]
        other = httpx.get(str(client.base_url.join(f"{API}/me")))

        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert [answer.headers["ratelimit-remaining"] for answer in answers[:3]] == ["2", "1", "0"]
        assert 1 <= int(answers[3].headers["retry-after"]) <= 60
        assert answers[3].headers["content-type"] == PROBLEM
        assert other.status_code == 401  # counted by itself
        assert client.get("/healthz").status_code == 200
