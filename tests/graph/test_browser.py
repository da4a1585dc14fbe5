import json
import re
from html.parser import HTMLParser

import pytest

from graphmind.errors import UnknownName
from graphmind.graph.browser import (
    Block,
    Guide,
    Step,
    ask,
    choose,
    guide_asciidoc,
    guide_file,
    guide_html,
    kept_query,
)
from graphmind.graph.embedded import open_embedded
from graphmind.graph.guides import GUIDES
from graphmind.graph.literals import literal, written_out
from graphmind.graph.questions import question
from tests.contracts.browser_files import BrowserContract

SMALL = Guide(
    name="small",
    title="A & B",
    steps=(
        Step(title="One", text="Is 1 < 2?", blocks=(choose("key", "it's", "Choose."),)),
        Step(title="Two", text="Yes.", blocks=(Block(caption="See.", text="RETURN '<b>'"),)),
    ),
)


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory):
    store = open_embedded(tmp_path_factory.mktemp("browser"))
    yield store
    store.close()


class TestOnTheEmbeddedEngine(BrowserContract):
    """The files on the embedded engine."""


class Slides(HTMLParser):
    """Reads a guide as the Browser does: statements by slide."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.slides: list[list[str]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        if tag == "slide":
            self.slides.append([])
        if tag == "pre":
            assert "runnable" in (dict(attrs)["class"] or "").split()
            self.slides[-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "pre" in self.open:
            self.slides[-1][-1] += data


@pytest.mark.parametrize("guide", [*GUIDES, SMALL], ids=lambda guide: guide.name)
def test_both_forms_of_a_guide_have_every_statement_in_its_step(guide):
    written = [[block.text for block in step.blocks] for step in guide.steps]
    sections = guide_asciidoc(guide).split("\n== ")[1:]

    assert Slides(guide_html(guide)).slides == written
    assert [re.findall(r"(?s)----\n(.*?)\n----", each) for each in sections] == written
    assert [each.split("\n")[0] for each in sections] == [step.title for step in guide.steps]


def test_text_of_a_guide_is_not_read_as_html():
    assert "<p>Is 1 &lt; 2?</p>" in guide_html(SMALL)


def test_a_question_in_a_guide_keeps_what_the_reader_chooses():
    assert "$incident_id = ''" in ask("incident_causes", "incident_id").text
    assert "LIMIT 50" in ask("incident_causes", "incident_id").text
    assert "\"\" = ''" in ask("incident_causes").text


def test_a_kept_query_says_how_its_parameters_are_set():
    text = kept_query(question("region_before_and_after"))

    assert text.startswith("// Regions before and after a moment\n// In which regions")
    assert "// at_ms: the moment, epoch ms\n// First: :params {at_ms: 0}\n" in text
    assert set(re.findall(r"\$(\w+)", text)) == {"at_ms"}
    assert ":params" not in kept_query(question("open_incidents"))


def test_values_are_written_where_a_parameter_stands_and_nowhere_else():
    text = "MATCH (n {a: $a}) // $a\nWHERE n.b = '$a' AND n.`$a` = \"$a\" /* $a */ RETURN $b, $ab"

    assert written_out(text, {"a": 1}) == text.replace("{a: $a}", "{a: 1}")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ('it\'s "x" \\', '"it\'s \\"x\\" \\\\"'),
        (None, "null"),
        (True, "true"),
        ([1, 2.5, "é"], '[1, 2.5, "é"]'),
        ({"a`b": [{"c": 1}]}, "{`a``b`: [{`c`: 1}]}"),
    ],
)
def test_a_value_is_written_as_cypher_has_it(value, written, opened):
    assert literal(value) == written
    read = opened.explore(f"RETURN {written} AS value", {}, row_limit=1, timeout_s=20)
    assert json.loads(json.dumps(read)) == [{"value": value}]


def test_a_guide_that_does_not_exist_names_those_that_do():
    assert guide_file("triage.html").name == "triage.html"
    for name in ("nope", "../graphmind.grass", "triage", ""):
        with pytest.raises(UnknownName, match=r"Known: first_look\.adoc, first_look\.html"):
            guide_file(name)
