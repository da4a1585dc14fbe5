"""What the files for Neo4j Browser must do on any engine: every statement answers."""

import re
from typing import Any

import pytest

from graphmind.graph.browser import Guide, queries_folder
from graphmind.graph.guides import GUIDES
from graphmind.graph.questions import question
from graphmind.graph.store import CypherStore
from tests.contracts.graph_store import EmptyGraph, explored
from tests.graph.answered import ANSWERED
from tests.graph.planted import planted
from tests.graph.planted_week import planted_week

CHOSEN: dict[str, Any] = {
    "incident_id": "i1",
    "key": "redis:cart",
    "name": "m@2",
    "names": "m@2",
    "at_ms": 1_900,
}
"""What a reader of the guides puts in the place of the examples."""


class BrowserContract(EmptyGraph):
    """Guides and queries, on both planted graphs at once."""

    @pytest.fixture
    def loaded(self, store: CypherStore) -> CypherStore:
        store.upsert(planted_week())
        store.upsert(planted())
        return store

    @pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.name)
    def test_every_statement_of_a_guide_answers_with_what_was_chosen_before(
        self, loaded: CypherStore, guide: Guide
    ):
        chosen: dict[str, Any] = {}
        for block in (block for step in guide.steps for block in step.blocks):
            if command := re.fullmatch(r":param (\w+) => \S.*", block.text):
                chosen[command[1]] = CHOSEN[command[1]]
                continue
            assert explored(loaded, block.text, **needed(block.text, chosen)), block.caption

    def test_every_query_that_the_browser_keeps_answers(self, loaded: CypherStore):
        silent = []
        for path in sorted(queries_folder().iterdir()):
            text = path.read_text("utf-8")
            assert text.startswith(f"// {question(path.stem).title}\n")
            if not explored(loaded, text, **needed(text, ANSWERED[path.stem][1])):
                silent.append(path.name)

        assert silent == []


def needed(text: str, values: dict[str, Any]) -> dict[str, Any]:
    """Return the values of the parameters in a statement; one without a value fails the test."""
    return {name: values[name] for name in re.findall(r"\$(\w+)", text)}
