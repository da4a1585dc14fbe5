"""The question to the graph that gives what an answer shows, for Neo4j Browser."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from graphmind.graph.literals import written_out
from graphmind.graph.questions import bind, question
from graphmind.settings import Settings


@dataclass(frozen=True, kw_only=True)
class GraphQuery:
    """A question of the library with its parameters filled in."""

    question: str
    cypher: str
    parameters: dict[str, Any]
    browser_url: str | None
    """Opens Neo4j Browser with it; None where its address is not set."""


def graph_query(settings: Settings, name: str, /, **given: Any) -> GraphQuery:
    """Return a question of ``cypher/questions/``. Raises UnknownName."""
    asked = question(name)
    parameters = bind(asked, given)
    return GraphQuery(
        question=name,
        cypher=asked.text,
        parameters=parameters,
        browser_url=browser_url(settings, asked.text, parameters),
    )


def browser_url(settings: Settings, cypher: str, parameters: dict[str, Any]) -> str | None:
    """Return the address of Neo4j Browser with a statement in its editor.

    Its parameters are written out: an address cannot set them.
    """
    if not settings.neo4j_browser:
        return None
    written = written_out(cypher, parameters)
    return f"{settings.neo4j_browser.rstrip('/')}/?cmd=edit&arg={quote(written, safe='')}"


def jaeger_url(settings: Settings, trace_id: str) -> str | None:
    """Return the address of a trace in Jaeger; None where its address is not set."""
    if not settings.jaeger:
        return None
    return f"{settings.jaeger.rstrip('/')}/trace/{quote(trace_id, safe='')}"
