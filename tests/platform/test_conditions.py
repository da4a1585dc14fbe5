"""Rules of what is wrong, and the file they come by."""

from pathlib import Path

from examples.agent_platform import conditions
from examples.agent_platform.conditions import Rule, Watched, matching, replace_file


def test_a_rule_is_found_by_its_place_and_all_that_must_hold_there():
    rules: list[Rule] = [
        {"at": "model", "where": {"version": "planner@3", "region": "us"}, "effect": "fail"},
        {"at": "network", "where": {"region": "us"}, "share": 0.7},
    ]

    assert matching(rules, "model", {"version": "planner@3", "region": "us"}) is rules[0]
    assert matching(rules, "model", {"version": "planner@3", "region": "eu"}) is None
    assert matching(rules, "model", {"version": "planner@3"}) is None
    assert matching(rules, "network", {"region": "us", "more": 1}) is rules[1]


def test_a_rule_without_conditions_holds_everywhere():
    rule = {"at": "input"}

    assert matching([rule], "input", {"task": "billing.audit"}) is rule


def test_a_file_that_is_replaced_is_read_again(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(conditions, "LOOK_S", 0.0)
    path = tmp_path / "file.json"
    watched = Watched(path)

    assert watched.read() == {}
    replace_file(path, {"a": 1})
    assert watched.read() == {"a": 1}
    replace_file(path, {"a": 2})
    assert watched.read() == {"a": 2}
    path.unlink()
    assert watched.read() == {}
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_not_looked_at_again_within_the_pause(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(conditions, "LOOK_S", 60.0)
    path = tmp_path / "file.json"
    replace_file(path, {"a": 1})
    watched = Watched(path)
    watched.read()
    replace_file(path, {"a": 2})

    assert watched.read() == {"a": 1}
