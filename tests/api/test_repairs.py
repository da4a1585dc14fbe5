"""Repairs over HTTP, against the real desk and its journal; only the control plane is in memory."""

import json
import re
import time
from importlib.resources import files

import pytest
from graphmind_api.app import create_app

from graphmind.repair.states import Event
from graphmind.settings import Settings
from graphmind.simulation.files import write
from graphmind.simulation.scenario import Scenario
from graphmind.simulation.simulate import simulate
from graphmind.wiring import open_stores
from tests.api.conftest import fill, serving
from tests.api.repairing import Board, client_of_desk, desk_over, who

pytestmark = pytest.mark.slow

REPAIRS = "/api/v1/repairs"
BY_ITSELF = "trace_redispatch"
"""A strategy of one step without inverse, and one that only records."""
REGION = "region_drain"
"""Two different people must approve it."""
DRAINS = [f"drain_{letter}" for letter in "abcdefgh"]
drains = iter(DRAINS)


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    spans = tmp_path_factory.mktemp("region_down")
    write(simulate(Scenario(seed=11, traces=800, incidents=1, kinds=("region_down",))), spans)
    settings = Settings(data_dir=tmp_path_factory.mktemp("repairable"))
    with open_stores(settings) as opened:
        fill(opened, settings, spans)
        yield opened


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    """Settings with drains of many names: each is tried twice on an incident at most."""
    folder = tmp_path_factory.mktemp("strategies")
    text = (files("graphmind.repair.strategies") / "library" / f"{REGION}.yaml").read_text("utf-8")
    for name in DRAINS:
        own = text.replace(REGION, name).replace("root_cause: region", "root_cause: agent")
        (folder / f"{name}.yaml").write_text(own)
    return Settings(strategies=str(folder))


@pytest.fixture(scope="module")
def board():
    return Board()


@pytest.fixture(scope="module")
def desk(stores, settings, board):
    opened = desk_over(stores, settings, board)
    for revision in opened.strategies():
        if not revision.approved_by:
            opened.approve_strategy(revision.key, who="ann")
    return opened


@pytest.fixture(scope="module")
def client(stores, settings, desk):
    """A client of people with keys of responders: the header of ``who`` says whose is used."""
    with client_of_desk(stores, settings, desk) as opened:
        yield opened


@pytest.fixture(scope="module")
def approvers(stores, settings, desk):
    """A client of people with keys of approvers."""
    with client_of_desk(stores, settings, desk, role="approver") as opened:
        yield opened


@pytest.fixture(scope="module")
def incident(stores):
    (found,) = stores.archive.incidents()
    return found["incident_id"]


@pytest.fixture(scope="module")
def waiting(client, incident):
    """A repair that waits for approval, for what changes none."""
    return planned(client, incident).json()


@pytest.fixture(autouse=True)
def _nothing_left(desk, board):
    """No repair of another test holds a target, nor counts as tried."""
    yield
    board.open.set()
    for repair in desk.repairs(states=["verifying"]):
        desk._move(repair, Event.INCONCLUSIVE, who="test")


def planned(client, incident, strategy=REGION, by="rae", key="", **params):
    headers = who(by, **({"Idempotency-Key": key} if key else {}))
    path = f"/api/v1/incidents/{incident}/repairs"
    return client.post(path, json={"strategy": strategy}, headers=headers, params=params)


def moved(client, repair, verb, body=None, *, by="rae", if_match="*"):
    headers = who(by) | ({"If-Match": if_match} if if_match else {})
    return client.post(f"{REPAIRS}/{repair['repair_id']}/{verb}", json=body, headers=headers)


def approved(approvers, incident):
    repair = planned(approvers, incident, next(drains)).json()
    for name in ("ann", "bob"):
        body = {"plan_hash": repair["plan_hash"]}
        answer = moved(approvers, repair, "approve", body, by=name)
        assert answer.status_code == 200, answer.text
    return answer.json()


def until(client, repair, *states):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        found = client.get(f"{REPAIRS}/{repair['repair_id']}").json()
        if found["state"] in states:
            return found
        time.sleep(0.05)
    raise AssertionError(found["state"], found["reason"])


def test_the_strategies_for_an_incident_are_ranked_with_reasons(client, incident):
    answer = client.get(f"/api/v1/incidents/{incident}/repairs/choices").json()

    assert answer["matches"][0]["strategy_id"] == REGION
    assert answer["matches"][0]["at_cause"]
    assert "the cause is region" in answer["matches"][0]["reasons"][0]
    assert "model_wrong_answers" in {each["strategy_id"] for each in answer["others"]}
    assert all(each["reasons"] for each in answer["others"])


def test_a_planned_repair_says_where_it_is_and_what_it_would_do(client, incident, board):
    before = dict(board.state)
    answer = planned(client, incident, strategy=None)
    body = answer.json()

    assert answer.status_code == 201
    assert answer.headers["location"] == f"{REPAIRS}/{body['repair_id']}"
    assert answer.headers["etag"] == f'"{body["version"]}"'
    assert (body["state"], body["requested_by"]) == ("awaiting_approval", "rae")
    assert body["strategy"].startswith(f"{REGION}@")
    assert body["plan"]["steps"][0]["call"]["action"] == "drain"
    assert client.get(answer.headers["location"]).json() == body
    assert board.state == before


def test_who_asks_is_named_after_their_key(client, incident):
    path = f"/api/v1/incidents/{incident}/repairs"

    assert client.post(path, json={}).json()["requested_by"] == "rae"


def test_a_dry_run_can_never_be_approved(client, approvers, incident):
    answer = planned(client, incident, dry_run=True)
    body = answer.json()

    assert (answer.status_code, body["mode"], body["state"]) == (200, "dry_run", "planned")
    decided = moved(approvers, body, "approve", {"plan_hash": body["plan_hash"]})
    assert decided.status_code == 409
    assert decided.json()["type"] == "urn:graphmind:not-allowed"


def test_the_same_key_gives_the_same_repair(client, incident):
    key = "same"
    first, again = planned(client, incident, key=key), planned(client, incident, key=key)

    assert first.json() == again.json()
    assert planned(client, incident, key=key, by="sam").json() != first.json()


def test_a_key_used_for_another_request_is_refused(client, incident):
    key = "other"
    assert planned(client, incident, key=key).status_code == 201

    assert planned(client, incident, BY_ITSELF, key=key).status_code == 422
    assert planned(client, incident, key=key, dry_run=True).status_code == 422


def test_an_unknown_incident_strategy_or_repair_is_not_found(client, incident):
    assert planned(client, "inc-none").status_code == 404
    assert planned(client, incident, "no_such_strategy").status_code == 404
    assert client.get(f"{REPAIRS}/rep-none").status_code == 404
    assert client.get(f"{REPAIRS}/rep-none/events").status_code == 404
    assert client.get("/api/v1/incidents/inc-none/repairs/choices").status_code == 404


def test_a_strategy_that_cannot_be_planned_is_refused_with_what_it_lacks(client, incident):
    answer = planned(client, incident, "model_version_fails")

    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:graphmind:plan-refused"
    assert "names none" in answer.json()["detail"]


def test_two_people_approve_a_region_and_it_runs_and_is_undone(approvers, incident, board):
    repair = approved(approvers, incident)
    assert repair["state"] == "approved"
    assert [each["who"] for each in repair["approvals"]] == ["ann", "bob"]

    answer = moved(approvers, repair, "run", by="ann")
    assert answer.status_code == 202
    assert answer.headers["location"] == f"{REPAIRS}/{repair['repair_id']}"
    assert answer.headers["retry-after"] == "1"
    ran = until(approvers, repair, "verifying")
    assert {each["state"] for each in ran["steps"]} == {"applied"}
    region = repair["plan"]["steps"][0]["call"]["target"]
    assert board.state[region] == "drain"

    assert moved(approvers, repair, "undo", {"reason": "enough"}).status_code == 202
    back = until(approvers, repair, "rolled_back")
    assert back["steps"][0]["state"] == "undone"
    assert board.state[region] == ""


def test_all_that_is_known_of_a_repair_is_one_package(client, waiting):
    package = client.get(f"/api/v1/audit/package/{waiting['repair_id']}").json()

    assert package["plan_hash"] == waiting["plan_hash"]
    assert package["incident"]["incident_id"] == waiting["incident_id"]
    assert package["rule_hits"][0]["strategy"] == waiting["strategy"]
    events = [entry["draft"]["what"] for entry in package["audit"]]
    assert events == ["propose", "plan", "request_approval"]
    assert client.get("/api/v1/audit/package/rep-none").status_code == 404


def test_one_person_is_not_enough_for_a_region(approvers, incident):
    repair = planned(approvers, incident).json()
    body = {"plan_hash": repair["plan_hash"]}
    once = moved(approvers, repair, "approve", body, by="ann").json()

    assert once["state"] == "awaiting_approval"
    assert "2 different people" in once["reason"]
    assert moved(approvers, repair, "run").status_code == 409


def test_a_responder_may_not_approve(client, waiting):
    answer = moved(client, waiting, "approve", {"plan_hash": waiting["plan_hash"]}, by="ann")

    assert answer.status_code == 403
    assert "has the role responder" in answer.json()["detail"]
    assert client.get(f"{REPAIRS}/{waiting['repair_id']}").json() == waiting


def test_an_approval_of_another_plan_is_refused(approvers, waiting):
    answer = moved(approvers, waiting, "approve", {"plan_hash": "0" * 64})

    assert answer.status_code == 409
    assert "read it" in answer.json()["detail"]
    assert moved(approvers, waiting, "approve", {"plan_hash": "short"}).status_code == 422


def test_a_rejected_plan_is_over(approvers, incident):
    repair = planned(approvers, incident).json()
    body = {"plan_hash": repair["plan_hash"], "reason": "not now"}
    answer = moved(approvers, repair, "reject", body, by="ann").json()

    assert (answer["state"], answer["reason"]) == ("rejected", "not now")
    assert moved(approvers, repair, "approve", body).status_code == 409


def test_a_cancelled_repair_is_over(client, incident):
    repair = planned(client, incident).json()
    answer = moved(client, repair, "cancel", {"reason": "a false alarm"}).json()

    assert (answer["state"], answer["reason"]) == ("cancelled", "a false alarm")
    assert moved(client, repair, "cancel", {}).status_code == 409


@pytest.mark.parametrize("verb", ["approve", "reject", "run", "cancel", "undo"])
def test_what_changes_a_repair_names_the_version_it_read(approvers, waiting, verb):
    body = {"plan_hash": waiting["plan_hash"]} if verb in ("approve", "reject") else {}
    tag = f'"{waiting["version"]}"'
    missing = moved(approvers, waiting, verb, body, if_match=None)
    stale = moved(approvers, waiting, verb, body, if_match='"999"')

    assert (missing.status_code, missing.headers["etag"]) == (428, tag)
    assert (stale.status_code, stale.headers["etag"]) == (412, tag)
    assert approvers.get(f"{REPAIRS}/{waiting['repair_id']}").json() == waiting


def test_the_version_that_was_read_may_be_one_of_several(client, incident):
    repair = planned(client, incident).json()
    answer = moved(client, repair, "cancel", {}, if_match=f'"0", "{repair["version"]}"')

    assert answer.status_code == 200
    assert answer.headers["etag"] == f'"{repair["version"] + 1}"'


def test_a_running_repair_is_intercepted_and_undone(approvers, incident, board):
    repair = approved(approvers, incident)
    board.called.clear()
    board.open.clear()
    answer = moved(approvers, repair, "run")
    assert (answer.status_code, answer.json()["state"]) == (202, "running")
    assert board.called.wait(10)
    asked = moved(approvers, repair, "intercept", {"reason": "stop it"}, if_match=None)
    assert asked.status_code == 202
    board.open.set()

    back = until(approvers, repair, "rolled_back", "intercepted")
    assert "stop it" in json.dumps(back)
    assert moved(approvers, repair, "intercept", {}, if_match=None).status_code == 409


def test_two_repairs_of_one_target_never_run_together(approvers, incident, board):
    first, second = approved(approvers, incident), approved(approvers, incident)
    board.called.clear()
    board.open.clear()
    assert moved(approvers, first, "run").status_code == 202
    assert board.called.wait(10)
    answer = moved(approvers, second, "run")
    board.open.set()

    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:graphmind:target-busy"
    until(approvers, first, "verifying")


def test_a_repair_that_no_state_allows_to_run_is_refused_at_once(client, waiting):
    answer = moved(client, waiting, "run")

    assert answer.status_code == 409
    assert "awaiting_approval takes no run" in answer.json()["detail"]


def test_while_all_is_stopped_nothing_runs(approvers, incident):
    repair = approved(approvers, incident)
    stop = {"on": True, "reason": "game day"}
    assert approvers.post(f"{REPAIRS}/stop", json=stop, headers=who("ann")).status_code == 204
    try:
        answer = moved(approvers, repair, "run")
        assert answer.status_code == 409
        assert "game day" in answer.json()["detail"]
        told = approvers.get(f"{REPAIRS}/switches").json()
        assert told["stop"] == {"on": True, "by": "ann", "why": "game day"}
    finally:
        approvers.post(f"{REPAIRS}/stop", json={"on": False}, headers=who("ann"))
    assert approvers.get(f"{REPAIRS}/switches").json()["stop"]["on"] is False
    assert moved(approvers, repair, "run").status_code == 202
    until(approvers, repair, "verifying")


def test_a_suppressed_incident_is_not_repaired_until_that_is_lifted(client, incident):
    body = {"target": f"incident:{incident}", "reason": "known", "until_ms": None}
    assert client.post(f"{REPAIRS}/suppress", json=body, headers=who("ann")).status_code == 204
    assert planned(client, incident).json()["state"] == "suppressed"
    rule = {"target": body["target"], "by": "ann", "why": "known", "until_ms": None}
    assert client.get(f"{REPAIRS}/switches").json()["suppressed"] == [rule]

    lifted = body | {"until_ms": 0}
    assert client.post(f"{REPAIRS}/suppress", json=lifted, headers=who("ann")).status_code == 204
    assert client.get(f"{REPAIRS}/switches").json()["suppressed"] == []
    assert planned(client, incident).json()["state"] == "awaiting_approval"


@pytest.mark.parametrize("target", ["", "incident:", "pod:a", "incident"])
def test_only_what_repairs_know_can_be_suppressed(client, target):
    answer = client.post(f"{REPAIRS}/suppress", json={"target": target})

    assert answer.status_code == 422


def test_repairs_are_listed_newest_first_page_by_page(client, incident):
    planned(client, incident)
    seen, link = [], f"{REPAIRS}?limit=2&incident_id={incident}"
    while link:
        answer = client.get(link)
        assert len(answer.json()["items"]) <= 2
        seen += answer.json()["items"]
        found = re.findall(r'<(.*)>; rel="next"', answer.headers.get("link", ""))
        link = found[0] if found else ""

    whole = client.get(REPAIRS, params={"limit": 500}).json()["items"]
    assert seen == whole
    assert [each["requested_ms"] for each in seen] == sorted(
        (each["requested_ms"] for each in seen), reverse=True
    )
    assert len({each["repair_id"] for each in seen}) == len(seen)
    assert "plan" not in seen[0]


def test_repairs_are_filtered_by_state_and_incident(client, incident):
    repair = planned(client, incident).json()
    moved(client, repair, "cancel", {})
    listed = client.get(REPAIRS, params={"state": ["cancelled", "rejected"], "limit": 500})

    assert repair["repair_id"] in {each["repair_id"] for each in listed.json()["items"]}
    assert {each["state"] for each in listed.json()["items"]} <= {"cancelled", "rejected"}
    assert client.get(REPAIRS, params={"incident_id": "inc-none"}).json()["items"] == []
    assert client.get(REPAIRS, params={"state": "sad"}).status_code == 422


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/incidents/{incident}/repairs",
        *(f"{REPAIRS}/x/{verb}" for verb in ("approve", "reject", "run", "cancel", "undo")),
        *(f"{REPAIRS}/{verb}" for verb in ("x/intercept", "stop", "suppress")),
        "/api/v1/strategies/x/approve",
    ],
)
def test_pages_of_other_origins_change_nothing(client, incident, path, headers):
    answer = client.post(path.format(incident=incident), json={}, headers=headers)

    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_page_of_the_same_origin_may_change_something(client, incident):
    own = str(client.base_url).rstrip("/")
    headers = {"Origin": own, "Sec-Fetch-Site": "same-origin"}
    path = f"/api/v1/incidents/{incident}/repairs"

    assert client.post(path, json={}, headers=headers).status_code == 201


def events(client, repair):
    """The events of a repair, until the stream ends."""
    path = f"{REPAIRS}/{repair['repair_id']}/events"
    with client.stream("GET", path, timeout=30) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        text = "".join(answer.iter_text())
    blocks = [block.split("\n") for block in text.strip().split("\n\n")]
    assert all(b[0] == "event: repair" and b[2].startswith("data: ") for b in blocks)
    return [json.loads(b[2][6:]) | {"id": b[1][4:]} for b in blocks]


def test_the_events_of_a_repair_that_is_over_are_one(client, incident):
    repair = planned(client, incident).json()
    last = moved(client, repair, "cancel", {}).json()
    (event,) = events(client, repair)

    assert (event["state"], event["id"]) == ("cancelled", str(last["version"]))


def test_the_events_follow_a_repair_until_it_is_over(approvers, incident, desk):
    repair = approved(approvers, incident)
    assert moved(approvers, repair, "run").status_code == 202
    until(approvers, repair, "verifying")
    found = desk.get(repair["repair_id"])
    path = f"{REPAIRS}/{repair['repair_id']}/events"
    with approvers.stream("GET", path, timeout=30) as answer:
        lines = answer.iter_lines()
        assert any('"state":"verifying"' in line for line in lines)
        desk._move(found, Event.INCONCLUSIVE, who="test")
        rest = list(lines)

    assert any('"state":"inconclusive"' in line for line in rest)


def test_without_connectors_only_what_needs_one_is_unavailable(stores, settings, incident):
    with client_of_desk(stores, settings, desk_over(stores, settings, None)) as client:
        for answer in (
            planned(client, incident),
            moved(client, {"repair_id": "x"}, "run"),
            moved(client, {"repair_id": "x"}, "undo", {}),
        ):
            assert answer.status_code == 503
            assert "GRAPHMIND_CONNECTORS" in answer.json()["detail"]
        for path in (REPAIRS, "/api/v1/strategies", "/api/v1/audit", "/api/v1/audit/verify"):
            assert client.get(path).status_code == 200
        assert client.get(f"/api/v1/incidents/{incident}/repairs/choices").status_code == 200


def test_an_app_without_a_desk_says_so(stores, settings):
    with serving(create_app(stores, settings)) as client:
        for path in (REPAIRS, "/api/v1/strategies", "/api/v1/audit"):
            answer = client.get(path)
            assert answer.status_code == 503
            assert "desk" in answer.json()["detail"]
