"""A repair as a user takes it: planned, approved, run and undone over a controller's HTTP API."""

import json

import pytest

from tests.cli.running import graphmind
from tests.repair.connectors.http_serving import serving
from tests.repair.connectors.runtime_server import TOKEN, RuntimeServer

pytestmark = pytest.mark.slow

DEGRADE = "degrade_router"
STRATEGY = """strategy_id: degrade_router
title: Let the router answer from its rules
level: warn
repair_level: agent
condition:
  root_cause: region
actions:
  - action: degrade
    target: router-eu
    params: {to: rule_engine_v2}
"""
CONNECTORS = """connectors:
  controller:
    kind: runtime_controller
    live: true
    url: http://127.0.0.1:PORT
    token: ${CONTROLLER_TOKEN}
"""


class Place:
    """A data folder with an incident, a strategy of its own, and the controller that is named."""

    incident: str

    def __init__(self, folder, server, port):
        self.folder, self.server = folder, server
        self.store = folder / "store"
        self.strategy = folder / "strategies" / "own.yaml"
        self.strategy.parent.mkdir()
        self.strategy.write_text(STRATEGY)
        self.reaching(port)

    def reaching(self, port):
        (self.folder / "connectors.yaml").write_text(CONNECTORS.replace("PORT", str(port)))

    def run(self, *words, **environ):
        return graphmind(
            *words,
            "--data-dir",
            self.store,
            **{
                "GRAPHMIND_CONNECTORS": str(self.folder / "connectors.yaml"),
                "GRAPHMIND_STRATEGIES": str(self.strategy.parent),
                "CONTROLLER_TOKEN": TOKEN,
            }
            | environ,
        )

    def json(self, *words):
        answer = self.run(*words, "--json")
        assert answer.code == 0, answer.err
        return answer.json

    def plan(self, *words):
        return self.json("plan", self.incident, "--strategy", DEGRADE, "--as", "rae", *words)

    def decide(self, verb, repair, *words, by="ann"):
        hash_ = ("--plan-hash", repair["plan_hash"][:12])
        return self.json(verb, repair["repair_id"], *hash_, "--as", by, *words)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder, server = tmp_path_factory.mktemp("repairs"), RuntimeServer()
    words = ("--seed", 11, "--traces", 800, "--incidents", 1, "--kind", "region_down")
    assert graphmind("simulate", folder, *words).code == 0
    with serving(server.answer) as port:
        found = Place(folder, server, port)
        answer = graphmind("analyze", folder / "spans.jsonl", "--data-dir", found.store, "--json")
        found.incident = answer.json["incidents"][0]["incident_id"]
        (own,) = (e for e in found.json("strategies", "list")["strategies"] if DEGRADE in e["key"])
        assert own["state"] == "waits for approval"
        refused = found.run("plan", found.incident, "--strategy", own["key"])
        assert (refused.code, "waits for approval" in refused.err) == (6, True)
        assert found.json("strategies", "approve", own["key"], "--as", "ann")["approved_by"] == [
            "ann"
        ]
        yield found


def test_a_repair_is_planned_approved_run_and_undone(place):
    told = place.run("plan", place.incident, "--strategy", DEGRADE, "--as", "rae")
    assert told.code == 0, told.err
    assert "degrade router-eu" in told.out
    assert "graphmind approve rep-" in told.out
    repair = place.json("repairs")["repairs"][0]
    assert (repair["state"], repair["requested_by"]) == ("awaiting_approval", "rae")

    alone = place.decide("approve", repair, by="rae")
    assert alone["state"] == "awaiting_approval"
    approved = place.decide("approve", repair, "--reason", "it helps")
    assert (approved["state"], approved["reason"]) == ("approved", "it helps")

    ran = place.run("run", repair["repair_id"], "--as", "ann")
    assert ran.code == 0, ran.err
    assert f"{repair['repair_id']} is verifying" in ran.out
    assert place.server.agents["router-eu"]["status"] == "degraded"

    whole = place.run("repairs", repair["repair_id"]).out
    assert "applied" in whole
    assert "approved by ann (approver)" in whole
    back = place.run("undo", repair["repair_id"], "--reason", "enough", "--as", "ann")
    assert "is rolled_back" in back.out
    assert place.server.agents["router-eu"]["status"] == "running"

    events = [e["what"] for e in place.json("audit", "--repair", repair["repair_id"])["entries"]]
    assert events[:3] == ["propose", "plan", "request_approval"]
    assert events[-1] == "undone"


def test_a_dry_run_changes_nothing_and_is_never_approved(place):
    before = place.server.state()
    repair = place.plan("--dry-run")
    assert (repair["mode"], repair["state"]) == ("dry_run", "planned")

    words = ("--plan-hash", repair["plan_hash"], "--as", "ann")
    assert place.run("approve", repair["repair_id"], *words).code == 6
    assert place.server.state() == before


def test_an_approval_names_the_plan_that_was_read(place):
    repair = place.plan()
    name = repair["repair_id"]

    asked = place.run("approve", name, "--as", "ann")
    assert asked.code == 2
    assert repair["plan_hash"][:12] in asked.err
    other = place.run("approve", name, "--plan-hash", "0" * 12, "--as", "ann")
    assert other.code == 6
    assert "is not 000000000000" in other.err
    assert place.run("approve", name, "--plan-hash", repair["plan_hash"][:5]).code == 2
    assert place.json("repairs", name) == repair


def test_a_repair_is_rejected_or_cancelled_and_listed_so(place):
    rejected = place.decide("reject", place.plan(), "--reason", "not now")
    assert (rejected["state"], rejected["reason"]) == ("rejected", "not now")
    cancelled = place.json("cancel", place.plan()["repair_id"], "--reason", "a false alarm")
    assert cancelled["state"] == "cancelled"

    listed = place.json("repairs", "--state", "cancelled", "--state", "rejected")["repairs"]
    names = [each["repair_id"] for each in listed]
    assert names == [cancelled["repair_id"], rejected["repair_id"]]
    told = place.run("repairs", "--incident", place.incident, "--state", "cancelled").out
    assert f"{names[0]}  cancelled" in told


def test_what_cannot_be_is_refused_with_its_own_code(place):
    waiting = place.plan()["repair_id"]

    assert place.run("run", waiting).code == 6
    assert place.run("intercept", waiting).code == 6
    assert place.run("repairs", "rep-none").code == 5
    assert place.run("plan", place.incident, "--strategy", "model_version_fails").code == 6


def test_a_control_plane_that_is_down_is_said(place):
    text = (place.folder / "connectors.yaml").read_text()
    try:
        place.reaching(1)
        answer = place.run("plan", place.incident, "--strategy", DEGRADE)
    finally:
        (place.folder / "connectors.yaml").write_text(text)

    assert answer.code == 7
    assert "controller" in answer.err
    assert TOKEN not in answer.err + answer.out


def test_while_all_is_stopped_or_suppressed_nothing_runs(place):
    assert place.json("stop", "on", "--reason", "game day", "--as", "ann")["on"]
    stopped = place.plan()
    assert "game day" in stopped["reason"]
    assert "may run again" in place.run("stop", "off").out

    target = f"incident:{place.incident}"
    assert "is not repaired for 2 h" in place.run("suppress", target, "--hours", "2").out
    assert place.plan()["state"] == "suppressed"
    assert place.run("suppress", target, "--lift").code == 0
    assert place.plan()["state"] == "awaiting_approval"
    assert place.run("suppress", "pod:a").code == 6


def test_the_trail_is_proven_and_added_up(place):
    assert "is what was written" in place.run("audit", "verify").out
    records = place.json("audit", "--strategy", DEGRADE, "--records")["records"]
    assert {each["strategy_id"] for each in records} == {DEGRADE}
    assert {"trace_id", "task_id", "detected_at", "fallback_used"} <= set(records[0])
    counts = place.json("audit", "--per-hour")["per_hour"]
    assert sum(each["count"] for each in counts) == len(place.json("audit")["entries"])
    assert "propose" in place.run("audit").out


def test_a_package_is_written_to_a_file_or_printed(place, tmp_path):
    name = place.plan()["repair_id"]
    file = tmp_path / "package.json"
    assert place.run("audit", "export", name, file).code == 0

    package = json.loads(file.read_text())
    assert package["repair_id"] == name
    assert place.run("audit", "export", name).json["plan_hash"] == package["plan_hash"]
    assert place.run("audit", "export", name, tmp_path / "no" / "folder").code == 3


def test_strategy_files_are_checked_with_lines(place, tmp_path):
    good = graphmind("strategies", "validate", place.strategy, "--json")
    assert (good.code, good.json["problems"]) == (0, [])
    assert good.json["valid"][0].startswith(f"{DEGRADE}@")

    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(STRATEGY.replace("level: warn", "level: loud"))
    answer = graphmind("strategies", "validate", wrong)
    assert answer.code == 1
    assert f"{wrong}:3:" in answer.out
    (problem,) = graphmind("strategies", "validate", tmp_path, "--json").json["problems"]
    assert problem["place"]["line"] == 3
    assert graphmind("strategies", "validate", tmp_path / "none.yaml").code == 3
    (tmp_path / "empty").mkdir()
    assert graphmind("strategies", "validate", tmp_path / "empty").code == 3
