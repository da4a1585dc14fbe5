"""Lines as patterns."""

import json
import random

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphmind.telemetry.lines import lines
from graphmind.telemetry.logs import LINES
from graphmind.telemetry.patterns import LINES_PER_S_MAX, Patterns, masked
from tests.builders import at
from tests.telemetry.records import log, logs_from_rows


def batch(*bodies: str | None, severity: int = 13, trace_id: str | None = "t") -> pa.RecordBatch:
    rows = (log(n, body, severity=severity, trace_id=trace_id) for n, body in enumerate(bodies))
    return lines(logs_from_rows(rows))


def mined(patterns: Patterns, *bodies: str | None, now_s: float = 0) -> list[str | None]:
    made = patterns.mine(batch(*bodies), at(now_s * 1000))
    found: list[str | None] = made["pattern"].to_pylist()
    return found


@pytest.mark.parametrize(
    ("text", "mask"),
    [
        ("took 12ms, 3.5 of 1,024", "took <NUM>, <NUM> of <NUM>"),
        ("from 10.0.0.7:8080", "from <IP>"),
        ("ref 0x1F and 00c0ffee12ab", "ref <HEX> and <HEX>"),
        ("id 550e8400-e29b-41d4-a716-446655440000", "id <ID>"),
        ("job-000123 of user_7", "<ID> of <ID>"),
        ("at 2026-01-02T03:04:05.123Z", "at <TIME>"),
        ("v3.1.5 answered", "<NUM> answered"),
        ("first\nsecond", "first"),
    ],
)
def test_what_varies_is_masked(text, mask):
    assert masked(pa.array([text])).to_pylist() == [mask]


def test_lines_that_differ_in_one_word_have_one_pattern():
    found = mined(
        Patterns(), "user kim cannot pay 7 EUR", "user lee cannot pay 9 EUR", "queue full"
    )

    assert found == ["user <*> cannot pay <NUM> EUR"] * 2 + ["queue full"]


@pytest.mark.parametrize(
    ("severity", "trace_id", "worth"),
    [(13, "t", True), (17, "t", True), (0, "t", True), (9, "t", False), (13, None, False)],
)
def test_only_bad_lines_of_traces_are_mined(severity, trace_id, worth):
    made = Patterns().mine(batch("queue full", severity=severity, trace_id=trace_id), 0)

    assert made["pattern"].to_pylist() == ["queue full" if worth else None]


def test_blank_lines_have_no_pattern():
    assert mined(Patterns(), None, " ", "\n") == [None, None, None]


def test_mining_fills_the_pattern_and_nothing_else():
    given = batch("a b", None)
    made = Patterns().mine(given, 0)

    assert made.schema.equals(LINES)
    assert made.drop_columns("pattern").equals(given.drop_columns("pattern"))


def test_what_is_mined_in_a_second_is_bounded():
    patterns = Patterns()
    bodies = ["queue full"] * (LINES_PER_S_MAX + 5)

    assert mined(patterns, *bodies)[-6:] == ["queue full"] + [None] * 5
    assert mined(patterns, "queue full") == [None]
    assert mined(patterns, "queue full", now_s=1) == ["queue full"]


def test_patterns_are_bounded_and_the_oldest_makes_room():
    patterns = Patterns(3)
    mined(patterns, *("aa bb", "cc dd", "ee ff", "aa bb", "gg hh"))
    mined(patterns, "cc dd")

    assert [tokens for _, _, tokens in patterns.document()["patterns"]] == [
        ["ee", "ff"],
        ["gg", "hh"],
        ["cc", "dd"],
    ]


def test_it_says_when_there_is_something_new_to_keep():
    patterns = Patterns()
    mined(patterns, "queue full")
    assert patterns.changed
    patterns.changed = False
    mined(patterns, "queue full")
    assert not patterns.changed


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.lists(st.sampled_from(["a", "b", "c", "x1", "7", "ü", "<*>"]), max_size=5), max_size=60
    ),
    st.integers(0, 60),
)
def test_after_a_restart_it_goes_on_as_if_nothing_had_been(drawn, cut):
    bodies = [" ".join(words) for words in drawn]
    went_on, stopped = Patterns(), Patterns()
    mined(went_on, *bodies[:cut])
    mined(stopped, *bodies[:cut])
    taken_up = Patterns.of(json.loads(json.dumps(stopped.document())))

    for body in bodies[cut:]:
        assert mined(taken_up, body) == mined(went_on, body)
    assert taken_up.document() == went_on.document()


def test_a_restart_keeps_the_order_in_which_patterns_make_room():
    chance = random.Random(3)
    words = [chr(97 + n) * 3 for n in range(14)]
    went_on = Patterns(5)
    for word in chance.choices(words, k=60):
        mined(went_on, f"{word} {word} {word}")
    taken_up = Patterns.of(json.loads(json.dumps(went_on.document())), 5)
    for word in chance.choices(words, k=60):
        again = [mined(each, f"{word} {word} {word}") for each in (went_on, taken_up)]
        assert again[0] == again[1]

    assert taken_up.document() == went_on.document()


def test_a_state_of_another_version_is_as_good_as_none():
    assert Patterns.of({"version": 0}).document() == Patterns().document()
    assert Patterns.of(None).document() == Patterns().document()
