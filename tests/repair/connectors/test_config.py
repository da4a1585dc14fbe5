"""The connectors file: what is read, and every mistake with its line."""

from contextlib import suppress
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from graphmind.errors import SettingsError
from graphmind.repair.connectors.config import (
    HttpOptions,
    Section,
    Token,
    open_connectors,
    read_connectors,
)

SECRET = "hush-hush-4711"


class Route(BaseModel):
    model_config = ConfigDict(extra="forbid")
    share: float = 1.0


class SomeOptions(HttpOptions):
    token: Token = SecretStr("")
    routes: dict[str, Route] = Field(default_factory=dict)


def unopened(section):
    raise AssertionError(section)


OPENERS = {"some": unopened, "other": unopened}


@pytest.fixture
def read(tmp_path):
    def from_text(text, **environ):
        file = tmp_path / "connectors.yaml"
        file.write_text(text, encoding="utf-8")
        return read_connectors(file, environ, OPENERS)

    return from_text


def test_an_entry_is_read_with_its_secret_from_the_environment(read):
    (section,) = read(
        "connectors:\n  gate:\n    kind: some\n    live: true\n    url: http://gate:1\n"
        "    token: ${GATE_TOKEN}\n",
        GATE_TOKEN=SECRET,
    )
    options = section.read_as(SomeOptions)

    assert (section.name, section.kind, section.live) == ("gate", "some", True)
    assert options.token.get_secret_value() == SECRET
    assert section.secrets == (SECRET,)
    assert SECRET not in repr(section) + repr(options)


def test_changes_are_switched_off_unless_told_otherwise(read):
    (section,) = read("connectors: {gate: {kind: some}}")

    assert not section.live


@pytest.mark.parametrize("text", ["", "connectors: {}"])
def test_a_file_without_connectors_gives_none(read, text):
    assert read(text) == ()


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1", 1, "expected `connectors:`"),
        ("connectors:\n  - kind: some", 2, "expected `key: value`"),
        ("connectors:\n  a: {kind: some}\n  a: {kind: some}", 3, "`a` stands here twice"),
        ("connectors:\n  a:\n    kind: some\n    kind: some", 4, "`kind` stands here twice"),
        ("connectors:\n  a:\n    live: true", 2, "needs `kind`"),
        ("connectors:\n  a:\n", 2, "needs `kind`"),
        ("connectors:\n  a:\n    kind: nothing", 3, "Known: other, some"),
        ("connectors:\n  a:\n    kind: some\n    live: 1", 4, "expected true or false"),
        ("connectors:\n  a b: {kind: some}", 2, "expected a name of up to 64"),
        ("connectors:\n  a:\n    kind: some\n    url: ${NONE}", 4, "NONE.* is not set"),
        ("connectors:\n  a:\n    kind: some\n    url: ${NO NE}", 4, "its name of letters"),
        ("connectors:\n  a: [1,", 2, "this is no YAML"),
        ("connectors:\n  a:\n    kind: !!python/name:os.system x", 3, "this is no YAML"),
    ],
)
def test_a_mistake_is_told_with_its_line(read, text, line, words):
    with pytest.raises(SettingsError, match=rf"connectors\.yaml:{line}: .*{words}"):
        read(text)


def test_lists_without_end_are_refused(read):
    with pytest.raises(SettingsError, match="lists without end"):
        read("connectors:\n  a: &a\n    kind: some\n    loop: *a\n")


@pytest.mark.parametrize(
    ("entry", "line", "words"),
    [
        (
            "    url: http://a\n    speed: 1\n",
            5,
            "no setting `speed`. Known: kind, live, timeout_s",
        ),
        ("    timeout_s: 3\n", 2, r"connector a \(some\) needs `url`"),
        ("    url: ftp://a\n", 4, "`url`: String should match"),
        ("    url: http://user:password@a\n", 4, "`url`: String should match"),
        ("    url: http://a\n    timeout_s: 0\n", 5, "`timeout_s`: Input should be greater"),
        ("    url: http://a\n    routes:\n      m:\n        share: x\n", 7, "`routes.m.share`"),
        ("    url: http://a\n    routes:\n      m: {portion: 1}\n", 6, "`routes.m.portion`"),
        ("    url: http://a\n    token: [hush-hush-4711]\n", 5, "`token`"),
        ("    url: http://a\n    token: hush-hush-4711 x\n", 5, "`token`: .* one token"),
    ],
)
def test_an_option_that_does_not_fit_is_told_with_its_line_and_not_its_value(
    read, entry, line, words
):
    (section,) = read(f"connectors:\n  a:\n    kind: some\n{entry}")

    with pytest.raises(SettingsError, match=rf"connectors\.yaml:{line}: .*{words}") as refused:
        section.read_as(SomeOptions)
    assert SECRET not in str(refused.value)
    assert "password" not in str(refused.value)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(SettingsError, match="should be the connectors file"):
        read_connectors(tmp_path / "none.yaml", {}, OPENERS)


def test_connectors_are_opened_by_kind_and_closed_again_where_one_fails(tmp_path):
    closed = []

    def opener(section):
        if section.name == "bad":
            raise SettingsError(f"{section.where}: no")
        return SimpleNamespace(close=lambda: closed.append(section.name))

    file = tmp_path / "connectors.yaml"
    file.write_text("connectors: {one: {kind: some}, two: {kind: some}}")
    assert list(open_connectors(file, {}, {"some": opener})) == ["one", "two"]
    assert closed == []

    file.write_text("connectors: {one: {kind: some}, two: {kind: some}, bad: {kind: some}}")
    with pytest.raises(SettingsError, match="no"):
        open_connectors(file, {}, {"some": opener})
    assert closed == ["two", "one"]


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_in_words(text):
    section = Section(name="a", kind="some", options={"url": text})
    with suppress(SettingsError):
        assert section.read_as(HttpOptions).url == text
