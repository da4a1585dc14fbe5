"""The audit trail and strategies over HTTP, against the real journal."""

import re

import pytest

from graphmind.jobs.stores import Stores
from graphmind.repair.audit import digest
from graphmind.repair.journal import AuditDraft
from graphmind.settings import Settings
from graphmind.wiring import open_stores
from tests.api.repairing import client_of_desk, desk_over, who
from tests.repair.levers import document
from tests.repair.repairs import kept_approved, repair, step

AUDIT = "/api/v1/audit"
STRATEGIES = "/api/v1/strategies"
OWN = """strategy_id: switch_back
title: Switch back
level: warn
repair_level: model
condition: {root_cause: model_version}
actions: [{action: switch_model_version, target: "{model}"}]
"""


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    with open_stores(Settings(data_dir=tmp_path_factory.mktemp("audited"))) as opened:
        yield opened


@pytest.fixture(scope="module")
def desk(stores, tmp_path_factory):
    folder = tmp_path_factory.mktemp("strategies")
    (folder / "own.yaml").write_text(OWN)
    opened = desk_over(stores, Settings(strategies=str(folder)), None)
    for name in ("r1", "r2"):
        other = {} if name == "r1" else {"strategy": "another@1"}
        command = {"trace_scope": [f"trace of {name}"], "touches": {"tasks": [f"task of {name}"]}}
        kept_approved(opened.journal, repair(name, step(1, name), command=command, **other))
    return opened


@pytest.fixture(scope="module")
def client(stores: Stores, desk):
    with client_of_desk(stores, desk.settings, desk) as opened:
        yield opened


@pytest.fixture(scope="module")
def approvers(stores: Stores, desk):
    with client_of_desk(stores, desk.settings, desk, role="approver") as opened:
        yield opened


def listed(client, **params):
    return client.get(AUDIT, params={"limit": 500, **params}).json()["items"]


def test_every_entry_has_what_its_hash_is_over(client):
    entries = listed(client)

    assert [entry["seq"] for entry in entries] == list(range(1, len(entries) + 1))
    for entry in entries:
        said = {name: entry[name] for name in ("who", "what", "at_ms", "repair_id", "body")}
        draft = AuditDraft(**said)
        assert entry["hash"] == digest(entry["seq"], entry["prev_hash"], draft)


def test_the_trail_is_read_page_by_page(client):
    seen, link = [], f"{AUDIT}?limit=3"
    while link:
        answer = client.get(link)
        seen += answer.json()["items"]
        found = re.findall(r'<(.*)>; rel="next"', answer.headers.get("link", ""))
        link = found[0] if found else ""

    assert seen == listed(client)


@pytest.mark.parametrize(
    ("params", "repairs"),
    [
        ({"repair": "r1"}, {"r1"}),
        ({"strategy": "another"}, {"r2"}),
        ({"strategy": "another@1"}, {"r2"}),
        ({"strategy": "none"}, set()),
        ({"repair": "r1", "strategy": "another"}, set()),
        ({"since_ms": 1_000, "until_ms": 1_001}, {"r1", "r2"}),
        ({"until_ms": 1_000}, set()),
    ],
)
def test_the_trail_is_searched(client, params, repairs):
    assert {entry["repair_id"] for entry in listed(client, **params)} == repairs


def test_a_whole_trail_is_proven(client):
    assert client.get(f"{AUDIT}/verify").json() == {"whole": True, "breaks": []}


def test_the_revisions_of_strategies_are_listed_with_their_files(client):
    items = client.get(STRATEGIES).json()["items"]
    own = {each["strategy_id"]: each for each in items}["switch_back"]

    assert (own["usable"], own["approved_by"]) == (False, [])
    assert own["document"] == document()
    assert {each["strategy_id"] for each in items if each["source"] == "library"} >= {
        "region_drain"
    }


def test_who_may_not_approve_a_plan_may_not_approve_a_strategy(client):
    (own,) = (e for e in client.get(STRATEGIES).json()["items"] if e["source"] != "library")
    refused = client.post(f"{STRATEGIES}/{own['key']}/approve", headers=who("eve"))

    assert refused.status_code == 403
    assert "eve has the role responder" in refused.json()["detail"]


def test_a_revision_is_approved_but_not_by_who_proposed_it(client, approvers):
    (own,) = (e for e in client.get(STRATEGIES).json()["items"] if e["source"] != "library")
    path = f"{STRATEGIES}/{own['key']}/approve"
    refused = approvers.post(path, headers=who(own["proposed_by"]))
    assert refused.status_code == 403
    assert refused.json()["type"] == "urn:graphmind:approval-refused"

    answer = approvers.post(path, headers=who("ann")).json()
    assert (answer["usable"], answer["approved_by"]) == (True, ["ann"])
    assert listed(client)[-1]["who"] == "ann"


def test_an_unknown_revision_is_not_found(approvers):
    assert approvers.post(f"{STRATEGIES}/none@1/approve", headers=who("ann")).status_code == 404


def test_an_entry_that_was_changed_is_located(client, stores):
    """Last in this file: the trail is broken from here on."""
    stores.graph._engine.write("MATCH (e:AuditEntry {seq: 2}) SET e.who = $who", {"who": "nobody"})
    proof = client.get(f"{AUDIT}/verify").json()

    assert not proof["whole"]
    assert [(each["seq"], each["fault"]) for each in proof["breaks"]] == [(2, "changed")]
