"""Which arguments of Redis commands are keys."""

import pytest
from graphmind_capture.commands import BOTH, READ, WRITE, command_keys
from graphmind_capture.keys import LENGTH_MAX, key_writer, merged
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("GET a", [("a", READ)]),
        ("get a", [("a", READ)]),
        ("SET a v EX 3", [("a", WRITE)]),
        ("SET a v GET", [("a", BOTH)]),
        ("MGET a b", [("a", READ), ("b", READ)]),
        ("MSET a v b w", [("a", WRITE), ("b", WRITE)]),
        ("HSET a f v", [("a", WRITE)]),
        ("BLPOP a b 0", [("a", BOTH), ("b", BOTH)]),
        ("EVAL s 2 a b v", [("a", BOTH), ("b", BOTH)]),
        ("EVAL s 0 v", []),
        ("EVAL s 9 a b", []),
        ("XREAD COUNT 2 STREAMS a b 0 0", [("a", READ), ("b", READ)]),
        ("XREADGROUP GROUP g c STREAMS a >", [("a", READ)]),
        ("BITOP AND d a b", [("d", WRITE), ("a", READ), ("b", READ)]),
        ("ZUNIONSTORE d 2 a b WEIGHTS 1 2", [("d", WRITE), ("a", READ), ("b", READ)]),
        ("SORT a BY x STORE d", [("a", READ), ("d", WRITE)]),
        ("COPY a b", [("a", READ), ("b", WRITE)]),
        ("OBJECT ENCODING a", [("a", READ)]),
        ("OBJECT HELP", []),
        ("AUTH secret", []),
        ("CONFIG SET requirepass secret", []),
        ("PUBLISH channel message", []),
        ("NEWCOMMAND a", []),
    ],
)
def test_keys_and_what_is_done_to_them(command, expected):
    assert command_keys(command.split()) == expected


def test_two_words_may_come_as_one():
    assert command_keys(["XGROUP CREATE", "a", "g", "$"]) == [("a", WRITE)]


ARGUMENTS = st.one_of(st.text(), st.binary(), st.integers(), st.none(), st.floats())


@given(st.lists(ARGUMENTS))
def test_nothing_that_is_given_breaks_it(arguments):
    assert all(any(key is one for one in arguments) for key, _ in command_keys(arguments))


@given(st.lists(st.text(min_size=1), min_size=1), st.text(min_size=1))
def test_a_value_never_shows(keys, value):
    pairs = [word for key in keys for word in (f"k{key}", f"v{value}")]

    assert [key for key, _ in command_keys(["MSET", *pairs])] == [f"k{key}" for key in keys]


def test_a_key_that_is_read_and_written_says_both():
    assert merged([("a", READ), (b"a", WRITE), ("b", READ)], key_writer(None)) == {
        "a": BOTH,
        "b": READ,
    }


def test_hashed_keys_are_stable_short_and_keep_their_prefix():
    write, other = key_writer(b"secret"), key_writer(b"other")

    assert write("user:7") == write(b"user:7")
    assert write("user:7") != other("user:7")
    assert write("user:7").startswith("user:")
    assert len(write("x" * 999)) == 16
    assert ":" not in key_writer(b"secret", keep_prefix=False)("user:7")


@given(st.text(min_size=LENGTH_MAX))
def test_long_keys_are_cut_and_stay_apart(text):
    write = key_writer(None)

    assert len(write(text)) <= LENGTH_MAX
    assert write(text + "a") != write(text + "b")
