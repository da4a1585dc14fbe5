import re

import pytest

from graphmind.errors import QueryRefused, UnknownName
from graphmind.graph.questions import (
    CATEGORIES,
    Parameter,
    bind,
    list_questions,
    parse,
    question,
)
from graphmind.graph.schema import EDGES, NODES, Edge, Node, properties
from tests.graph.answered import ANSWERED

WHOLE = """\
// Title
//
// What is asked
// over two lines?
//
// parameters:
//   key: string             a key
//   limit: integer = 5      rows at most
// columns:
//   name     a name
MATCH (n:Tool {name: $key})
RETURN n.name AS name
ORDER BY name
LIMIT $limit
"""
DECLARED: list[type[Node] | type[Edge]] = [*NODES.values(), *EDGES.values()]
PROPERTIES = {p.stored for cls in DECLARED for p in properties(cls)}
# The keys of a map that one question builds on its way.
BUILT = {"id", "at"}


def test_a_header_is_read():
    asked = parse("triage", "q", WHOLE)

    assert (asked.title, asked.asks) == ("Title", "What is asked over two lines?")
    assert asked.parameters == (
        Parameter(name="key", type="string", default=None, meaning="a key"),
        Parameter(name="limit", type="integer", default=5, meaning="rows at most"),
    )
    assert asked.columns == (("name", "a name"),)
    assert asked.text.startswith("MATCH (n:Tool")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("// parameters:", "// params:"),
        ("key: string  ", "key: text  "),
        ("limit: integer = 5      rows at most", "limit: integer = 5"),
        ("//   name     a name\n", "//   name\n"),
        ("//   name     a name\n", ""),
        ("// Title\n", "//\n"),
        ("// What is asked\n// over two lines?\n", ""),
        ("// columns:", "// sorted: yes\n// columns:"),
        (WHOLE[WHOLE.index("MATCH") :], ""),
    ],
)
def test_a_header_of_another_form_is_refused(old, new):
    assert old in WHOLE

    with pytest.raises(ValueError, match=r"q\.cypher"):
        parse("triage", "q", WHOLE.replace(old, new))


def test_parameters_are_converted_and_defaults_filled_in():
    assert bind(parse("triage", "q", WHOLE), {"key": "x", "limit": "7"}) == {"key": "x", "limit": 7}
    assert bind(parse("triage", "q", WHOLE), {"key": "x"}) == {"key": "x", "limit": 5}


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({}, QueryRefused, "q needs key: a key"),
        ({"key": "x", "limit": -1}, QueryRefused, "limit should be 0 to"),
        ({"key": "x", "limit": str(2**63)}, QueryRefused, "limit should be 0 to"),
        ({"key": "x", "limit": float("inf")}, QueryRefused, "should be of type integer"),
        ({"key": "x", "limit": "many"}, QueryRefused, "limit should be of type integer"),
        ({"key": "x", "colour": 1}, UnknownName, "no parameter 'colour'. It takes: key, limit"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(params, error, message):
    with pytest.raises(error, match=re.escape(message)):
        bind(parse("triage", "q", WHOLE), params)


@pytest.mark.parametrize("name", ["nope", "../schema/constraints", ""])
def test_a_question_that_does_not_exist_names_those_that_do(name):
    with pytest.raises(UnknownName, match="Known: agent_loops, agents_by_region"):
        question(name)


def test_there_are_questions_of_every_category_and_forty_in_all():
    assert all(list_questions(category) for category in CATEGORIES)
    assert len(list_questions()) >= 40


def test_a_category_that_does_not_exist_names_those_that_do():
    with pytest.raises(UnknownName, match="Known: triage, shared_cause"):
        list_questions("nope")
    with pytest.raises(ValueError, match=r"nope/q\.cypher: the folder is none of triage"):
        parse("nope", "q", WHOLE)


def test_every_question_is_answered_by_a_test():
    assert {asked.name for asked in list_questions()} == set(ANSWERED)


@pytest.mark.parametrize("asked", list_questions(), ids=lambda asked: asked.name)
class TestEveryQuestion:
    def test_returns_the_columns_its_header_names(self, asked):
        returned = asked.text[asked.text.rindex("RETURN") : asked.text.rindex("ORDER BY")]
        names = re.findall(r"(?:\bAS (\w+)|(?<=[\s,])(\w+))\s*(?=,|$)", returned.strip())

        assert [column for column, _ in asked.columns] == [a or b for a, b in names]

    def test_is_ordered_and_limited(self, asked):
        assert re.search(r"ORDER BY [^\n]+\nLIMIT \$limit$", asked.text)

    def test_uses_its_parameters_and_no_others(self, asked):
        assert {p.name for p in asked.parameters} == set(re.findall(r"\$(\w+)", asked.text))

    def test_knows_only_labels_types_and_properties_of_the_schema(self, asked):
        bare = re.sub(r"'[^']*'", "''", asked.text)
        types = re.findall(r"\[\w*:([A-Z_|]+)", bare)
        labels = re.findall(r"\(\w*:([A-Za-z|]+)", bare)

        assert {name for group in types for name in group.split("|")} <= set(EDGES)
        assert {name for group in labels for name in group.split("|")} <= set(NODES)
        assert set(re.findall(r"\b[a-z]\w*\.(\w+)", bare)) <= PROPERTIES | BUILT

    def test_keeps_to_what_both_stores_run(self, asked):
        assert not re.search(
            r"elementId|\bapoc\.|SHORTEST|\$\(|CYPHER 5|db\.|awaitIndex|\*\]|\*\d+\.\.\]",
            asked.text,
        )
