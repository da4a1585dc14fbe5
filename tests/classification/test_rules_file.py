"""Rules files: what they may say, and what is said about one that cannot be used."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphmind.classification.rules_file import default_rules, parse, rules_from
from graphmind.errors import SettingsError


def test_a_users_rules_come_with_those_shipped(tmp_path):
    own = tmp_path / "own.yaml"
    own.write_text("- {label: mine, confidence: 1, code: [E-77]}\n")

    rules = rules_from(str(own))

    assert rules[0].label == "mine"
    assert rules[0].place == "own.yaml:1"
    assert rules[1:] == default_rules() == rules_from("")


def test_an_empty_file_adds_nothing():
    assert parse("# nothing yet\n", "own.yaml") == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- label: [", "own.yaml is not YAML: "),
        ("label: x", "own.yaml:1: expected a list of rules"),
        ("\n- x", "own.yaml:2: a rule should map names to values, got 'x'"),
        ("- confidence: 1\n  code: [x]", "own.yaml:1: a rule needs label"),
        ("- label: x", "own.yaml:1: a rule needs confidence"),
        ("- label: x\n  confidence: 1", "own.yaml:1: a rule needs something to look at: one of"),
        ("- label: x\n  cofidence: 1", "own.yaml:2: no field 'cofidence'. Known: label, "),
        ("- label: x\n  label: y", "own.yaml:2: label stands twice in one rule"),
        ("- code: [x]\n  label: Big One\n  confidence: 1", "own.yaml:2: a label is lower case"),
        ("- code: [x]\n  label: x\n  confidence: 1.5", "own.yaml:3: confidence should lie above 0"),
        ("- code: [x]\n  label: x\n  confidence: no", "and up to 1, got 'no'"),
        ("- code: [x]\n  label: x\n  confidence: nan", "and up to 1, got 'nan'"),
        ("- code: x\n  label: x\n  confidence: 1", "own.yaml:1: expected a list with something in"),
        (
            "- code: []\n  label: x\n  confidence: 1",
            "own.yaml:1: expected a list with something in",
        ),
        ("- label: x\n  confidence: 1\n  code:\n  - a\n  - [b]", "own.yaml:5: expected a text"),
        ("- label: x\n  confidence: 1\n  code:\n  - ''", "own.yaml:4: expected a text, got ''"),
        (
            "- label: x\n  confidence: 1\n  text:\n  - ok\n  - '('",
            "own.yaml:5: '(' is not a regular",
        ),
        (
            "- label: x\n  confidence: 1\n  symptom: [late]",
            "own.yaml:3: no symptom 'late'. Known: ",
        ),
        (
            "- label: x\n  confidence: 1\n  cause: [planet]",
            "own.yaml:3: no cause 'planet'. Known: ",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_by_line_and_reason(text, said):
    with pytest.raises(SettingsError) as refusal:
        parse(text, "own.yaml")

    assert said in str(refusal.value)


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(SettingsError, match=r"cannot read the rules .*none\.yaml: No such file"):
        rules_from(str(tmp_path / "none.yaml"))
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="are not UTF-8 text"):
        rules_from(str(tmp_path / "bytes.yaml"))


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text):
    with suppress(SettingsError):
        assert isinstance(parse(text, "own.yaml"), tuple)
