import re

import orjson
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from graphmind.errors import SettingsError
from graphmind.repair.strategies.loading import merged, shipped, strategies_in, strategies_of
from graphmind.repair.strategies.marked import Unreadable, read_marked
from graphmind.repair.strategies.validation import schema, threshold_of
from tests.repair.levers import document, strategy

GOOD = """\
strategy_id: switch_back   # a comment
title: Switch back
level: warn
repair_level: model
condition:
  all_of:
    - root_cause: model_version:planner@*
    - any_of:
        - symptom: [hang, slow]
        - metric: "latency > 8s"
actions:
  - action: switch_model_version
    target: "{model}"
    params: {version: "{to_version|rule_engine_v2}"}
"""


def problems(text: str, file: str = "s.yaml") -> list[str]:
    with pytest.raises(Unreadable) as raised:
        strategies_of({file: text})
    return str(raised.value).splitlines()


def refusals(text: str) -> list[str]:
    """What is said of a text; nothing where it is a strategy."""
    try:
        strategies_of({"s.yaml": text})
    except Unreadable as error:
        return [str(problem) for problem in error.problems]
    return []


def test_a_file_becomes_a_strategy():
    (found,) = strategies_of({"s.yaml": GOOD})

    assert (found.strategy_id, found.level, found.repair_level) == ("switch_back", "warn", "model")
    assert found.condition.all_of[0].root_cause == ("model_version:planner@*",)
    threshold = found.condition.all_of[1].any_of[1].metrics[0]
    assert (threshold.metric, threshold.number, threshold.above) == ("latency", 8000.0, True)
    assert (found.confidence_min, found.rollback, found.attempts_max) == (0.9, "undo", 2)
    assert re.fullmatch("switch_back@[0-9a-f]{12}", found.key)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("level: warn", "level: urgent", "s.yaml:3:8: expected one of info, warn, critical, got"),
        ("title: Switch back\n", "", "s.yaml:1:1: expected title (One line for people), got no"),
        ("level: warn", "levle: warn", "s.yaml:3:1: expected one of actions, approval"),
        ("  all_of:", "  all_off:", "s.yaml:6:3: expected one of all_of, any_of, class"),
        ("model_version:planner@*", "modell", "s.yaml:7:19: expected kind or kind:name, of the"),
        ("[hang, slow]", "[hang, slo]", "s.yaml:9:27: expected one of hang, error"),
        ('"latency > 8s"', "latency over 8s", "s.yaml:10:19: expected name, one of > >= < <="),
        ('"{model}"', '"{modell}"', "s.yaml:13:13: expected one of {incident}, {cluster}"),
        ('"{model}"', '"{model"', "s.yaml:13:13: expected {name} or {name|text}, got '{model'"),
        ('"{model}"', '"{traces}"', "s.yaml:13:13: expected {traces} alone in a parameter"),
        ('"{to_version|', '"{to_|', "s.yaml:14:23: expected one of {incident}"),
        ("repair_level: model", "repair_level: agent", "s.yaml:4:15: expected model or above"),
        ("  - action: switch_model_version", "  - actoin: x", "s.yaml:12:5: expected action, got"),
        ("level: warn", "level: [", "s.yaml:5:10: expected YAML, got"),
        (
            "level: warn",
            "level: warn\nlevel: info",
            "s.yaml:4:1: expected level once, got it again",
        ),
        ("level: warn", "level:", "s.yaml:3:7: expected a text, number, true or false"),
        ("level: warn", "level: 2026-01-01", "s.yaml:3:8: expected a text, number, true or"),
        ("Switch back\n", "&a [*a]\n", "s.yaml:2:8: expected the value itself, got an alias"),
        ("Switch back\n", ".inf\n", "s.yaml:2:8: expected a finite number, got .inf"),
        ("Switch back\n", "1" + "0" * 30 + "\n", "s.yaml:2:8: expected a whole number of 64 bits"),
        ("Switch back\n", '"\\ud800"\n', "s.yaml:2:8: expected whole characters"),
        ("Switch back\n", "{? [a] : b}\n", "s.yaml:2:11: expected a name, got a list or a map"),
        (
            "strategy_id: switch_back",
            'strategy_id: "switch_back\\n"',
            "s.yaml:1:14: expected a tex",
        ),
    ],
)
def test_an_error_names_file_line_column_what_was_expected_and_what_came(old, new, expected):
    assert old in GOOD

    assert any(line.startswith(expected) for line in problems(GOOD.replace(old, new, 1)))


def test_all_that_is_wrong_is_said_at_once_in_the_order_of_the_file():
    text = GOOD.replace("warn", "loud").replace("Switch back\n", "''\n")

    assert [line.split(" expected")[0] for line in problems(text)] == ["s.yaml:2:8:", "s.yaml:3:8:"]


@pytest.mark.parametrize("text", ["", "# nothing\n"])
def test_an_empty_file_is_refused(text):
    assert problems(text) == ["s.yaml:1:1: expected a strategy, got an empty file"]


@pytest.mark.parametrize("depth", [30, 600])
def test_endless_depth_is_refused(depth):
    text = "title: " + "[" * depth + "]" * depth

    assert len(problems(text)) == 1


def test_an_id_that_two_files_use_is_refused_in_the_second():
    with pytest.raises(Unreadable, match=r"b.yaml:1:14: expected an id of its own.*as in a.yaml"):
        strategies_of({"a.yaml": GOOD, "b.yaml": GOOD})


def test_a_folder_is_read_and_what_cannot_be_read_is_named(tmp_path):
    (tmp_path / "a.yaml").write_text(GOOD)
    assert [each.strategy_id for each in strategies_in(tmp_path)] == ["switch_back"]

    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(SettingsError, match=r"b.yaml:1:1: expected a text file, got bytes that"):
        strategies_in(tmp_path)


def test_own_strategies_stand_for_shipped_ones_of_their_id():
    own = strategy(strategy_id="region_drain")

    found = {each.strategy_id: each for each in merged([own], shipped())}

    assert found["region_drain"] is own
    assert len(found) == len(shipped())


def test_the_published_schema_is_a_schema():
    Draft202012Validator.check_schema(schema())


def test_the_schema_alone_takes_what_is_shipped():
    checker = Draft202012Validator(schema())

    assert [list(checker.iter_errors(each.document)) for each in shipped()] == [[]] * len(shipped())


@pytest.mark.parametrize(
    ("written", "number", "above", "inclusive"),
    [
        ("latency > 8000ms", 8000.0, True, False),
        ("latency>=2 s", 2000.0, True, True),
        ("callback_failure_rate >= 20 %", 0.2, True, True),
        ("retries < 3", 3.0, False, False),
    ],
)
def test_a_metric_is_read_with_its_unit(written, number, above, inclusive):
    found = threshold_of(written)

    assert found
    assert (found.number, found.above, found.inclusive) == (number, above, inclusive)


@given(st.permutations(list(document())))
def test_a_revision_is_of_what_a_file_says_not_of_its_layout(order):
    shuffled = {name: document()[name] for name in order}
    text = "# another comment\n" + yaml.safe_dump(shuffled, sort_keys=False, indent=4)

    (found,) = strategies_of({"s.yaml": text})

    assert found.revision == strategy().revision


@given(st.sampled_from([("title", "Other"), ("level", "info"), ("ttl_s", 30), ("rollback", "ask")]))
def test_any_change_of_what_a_file_says_makes_a_new_revision(change):
    assert strategy(**dict([change])).revision != strategy().revision


@settings(max_examples=60, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from([*document(), "all_of", "params", "target", "x"]), inner, max_size=4
            )
        ),
        max_leaves=12,
    )
)
def test_any_yaml_that_is_no_strategy_is_refused_with_its_place(value):
    said = refusals(yaml.safe_dump(value, allow_unicode=True))

    assert said
    assert all(re.match(r"s.yaml:\d+:\d+: expected ", line) for line in said)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80))
def test_any_text_that_is_no_strategy_is_refused(text):
    said = refusals(text)

    assert said
    assert all(line.startswith("s.yaml:") for line in said)


def test_places_are_of_the_keys_and_values_themselves():
    marked = read_marked("a:\n  - b: 1\n", "f")

    assert str(marked.place(("a", 0, "b"))) == "f:2:8"
    assert str(marked.keys["a", 0, "b"]) == "f:2:5"
    assert str(marked.place(("a", 0, "absent"))) == "f:2:5"
    assert orjson.loads(orjson.dumps(marked.value)) == {"a": [{"b": 1}]}
