"""The table a user can extend, and what is said about one that cannot be used."""

import pytest

from graphmind.errors import SettingsError
from graphmind.telemetry.resolver_table import COLUMNS, default_table, extended_table, parse
from tests.builders import resolved, span


def test_the_shipped_table_has_a_row_for_every_column():
    assert sorted(default_table()) == sorted(COLUMNS)


def test_a_users_names_come_before_those_shipped(tmp_path):
    own = tmp_path / "own.yaml"
    own.write_text("agent:\n  - {name: my.agent, with: my.version, by: ' v'}\n")
    row = {"my.agent": "mine", "my.version": "2", "gen_ai.agent.name": "shipped"}

    spans = resolved([span("s", attributes=row)], extended_table(own))

    assert spans["agent"].to_pylist() == ["mine v2"]


def test_names_shipped_still_speak_where_the_users_are_absent(tmp_path):
    own = tmp_path / "own.yaml"
    own.write_text("agent: [my.agent]\nregion: [{name: site, as: json name}]\n")
    attributes = {"gen_ai.agent.name": "shipped", "site": '{"name": "north"}'}

    spans = resolved([span("s", attributes=attributes)], extended_table(own))

    assert (spans["agent"][0].as_py(), spans["region"][0].as_py()) == ("shipped", "north")


def test_an_empty_table_adds_nothing():
    assert parse("", "own.yaml") == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("agent: [", "own.yaml is not YAML"),
        ("- agent", "own.yaml should map columns to lists of attribute names"),
        ("agnet: [x]", "own.yaml: no column 'agnet'. Known: agent, "),
        ("3: [x]", "own.yaml: no column 3. Known: agent, "),
        ("agent: my.agent", "own.yaml: agent should be a list of names, got 'my.agent'"),
        ("agent:", "own.yaml: agent should be a list of names, got None"),
        (
            "agent: [3]",
            "own.yaml: agent: expected a name or {name, as, with, by, when: NAME=TEXT}, got 3",
        ),
        (
            "agent: [{as: key}]",
            "expected a name or {name, as, with, by, when: NAME=TEXT}, got {'as': 'key'}",
        ),
        ("agent: [{name: x, like: y}]", "got {'name': 'x', 'like': 'y'}"),
        ("agent: [{name: x, as: 3}]", "got {'name': 'x', 'as': 3}"),
        ("agent: [{name: x, as: upper}]", "own.yaml: agent: no reading 'upper'. Known: uuid, "),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_by_place_and_reason(text, said):
    with pytest.raises(SettingsError) as refusal:
        parse(text, "own.yaml")

    assert said in str(refusal.value)


def test_a_table_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SettingsError, match=r"cannot read the resolver table .*none\.yaml"):
        extended_table(tmp_path / "none.yaml")


def test_a_table_in_another_encoding_is_named(tmp_path):
    other = tmp_path / "latin.yaml"
    other.write_bytes("agent: [größe]".encode("latin-1"))

    with pytest.raises(SettingsError, match=r"latin\.yaml is not UTF-8"):
        extended_table(other)
