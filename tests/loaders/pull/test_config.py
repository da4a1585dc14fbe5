from pathlib import Path

import pytest
from graphmind_loaders.pull.config import read_sources
from hypothesis import given
from hypothesis import strategies as st

from graphmind.errors import SettingsError
from graphmind.sources import SourceConfig

SECRET = "s3cr3t-t0ken"


@pytest.fixture
def read(tmp_path):
    def write_and_read(text, environ=None, kinds=None):
        path = tmp_path / "sources.yaml"
        path.write_text(text, encoding="utf-8")
        return read_sources(path, environ or {}, kinds)

    return write_and_read


def entry(*more):
    return "\n".join(["sources:", "  - kind: jaeger", "    name: j", "    url: http://h:1", *more])


def test_sources_are_read_in_their_order(read):
    sources = read(
        """
sources:
  - {kind: jaeger, name: traces, url: "http://jaeger:16686"}
  - kind: loki
    name: logs
    url: https://loki
    every_s: 2
    overlap_s: 0
    timeout_s: 4.5
    token: reader:pass
    headers: {X-Scope-OrgID: a}
    options: {query: '{app="x"}', limit: 100}
"""
    )

    assert sources == (
        SourceConfig(kind="jaeger", name="traces", url="http://jaeger:16686"),
        SourceConfig(
            kind="loki",
            name="logs",
            url="https://loki",
            every_s=2.0,
            overlap_s=0.0,
            timeout_s=4.5,
            token="reader:pass",
            headers={"X-Scope-OrgID": "a"},
            options={"query": '{app="x"}', "limit": 100},
        ),
    )
    assert "reader:pass" not in repr(sources)


@pytest.mark.parametrize("text", ["", "# nothing\n", "sources: []\n"])
def test_no_sources_are_none(read, text):
    assert read(text) == ()


def test_a_token_comes_from_the_environment(read):
    (source,) = read(entry("    token_env: JAEGER_TOKEN"), {"JAEGER_TOKEN": SECRET})

    assert source.token == SECRET


def test_a_token_comes_from_a_file_beside(read, tmp_path):
    (tmp_path / "token").write_text(SECRET + "\n")

    (source,) = read(entry("    token_file: token"))

    assert source.token == SECRET


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (entry("    every: 3"), r":5: no setting `every`. Known: kind, name, url, every_s"),
        (entry("    every_s: soon"), r":5: `every_s`: Expected `float`, got `str`"),
        (entry("    every_s: 0"), r":5: `every_s`: .*> 0"),
        (entry("    url: http://i"), r":5: `url` stands here twice"),
        (entry("    headers: {a: 1}"), r":5: `headers`: Expected `str`, got `int`"),
        (entry("    token: 12345"), r":5: `token`: Expected `str`, got `int`"),
        (entry("    token_env: A", f"    token: {SECRET}"), r":5: set one of .* `token` and"),
        (entry("    token_env: NOT_SET"), r":5: `token_env` names NOT_SET, which is not set"),
        (entry("    token_file: none"), r":5: `token_file` .*none cannot be read: No such file"),
        (entry("  - kind: loki", "    name: j", "    url: http://i"), r":6: 'j' is the name of"),
        (entry().replace("jaeger", "jager"), r":2: no kind of source 'jager'. Known: clickhouse"),
        (entry().replace("name: j", "name: 'a b'"), r":3: `name`: Expected `str` matching"),
        ("sources:\n  - {kind: jaeger, name: j}\n", r":2: a source needs `url`"),
        ("sources:\n  - jaeger\n", r":2: expected `key: value` here"),
        ("source: []\n", r":1: expected `sources:` with a list"),
        ("sources: {a: 1}\n", r":1: expected `sources:` with a list"),
        ("- kind: jaeger\n", r":1: expected `key: value` here"),
        (f"sources:\n  - token: [{SECRET}\n", r":3: this is no YAML"),
        (f"sources:\n  - token: !x {SECRET}\n", r":2: this is no YAML"),
        (f"sources: [{SECRET}\x07]\n", r"this is no YAML"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_without_secrets(read, text, words):
    with pytest.raises(SettingsError, match=words) as failed:
        read(text)

    assert SECRET not in str(failed.value)


@pytest.mark.parametrize("held", ["", "two words", "\xff"])
def test_a_token_file_that_holds_something_else_is_refused(read, tmp_path, held):
    (tmp_path / "token").write_text(held, encoding="latin-1")

    with pytest.raises(SettingsError, match=r":5: `token_file` .*token"):
        read(entry("    token_file: token"))


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(SettingsError, match="should be the sources file"):
        read_sources(tmp_path / "none.yaml", {})


@given(text=st.text())
def test_any_text_is_read_or_refused(tmp_path_factory, text):
    path = Path(tmp_path_factory.getbasetemp()) / "any.yaml"
    path.write_text(text, encoding="utf-8", newline="")

    try:
        sources = read_sources(path, {})
    except SettingsError:
        return
    assert sources == ()
