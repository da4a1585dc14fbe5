"""The files under ``cypher/`` that are generated, and whether they are fresh."""

from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Final

from graphmind.graph.browser import (
    guide_asciidoc,
    guide_html,
    guides_folder,
    kept_query,
    queries_folder,
)
from graphmind.graph.guides import GUIDES
from graphmind.graph.questions import cypher_folder, list_questions
from graphmind.graph.schema import EDGES, NODES, Edge, Node, declared, key_of
from graphmind.graph.schema.declare import Property
from graphmind.graph.texts import schema_texts

NOTE: Final = "Generated from graphmind/graph/schema by `graphmind schema`. Do not edit."
ENDS_DRAWN: Final = 3
"""A relationship to more labels than this is drawn to one node `anything shared`."""
COLOURS: Final = (
    # Fill, border and text of Neo4j Browser's own palette.
    ("#C990C0", "#B261A5", "#FFFFFF"),
    ("#F79767", "#F36924", "#FFFFFF"),
    ("#57C7E3", "#23B3D7", "#2A2C34"),
    ("#F16667", "#EB2728", "#FFFFFF"),
    ("#D9C8AE", "#C0A378", "#2A2C34"),
    ("#8DCC93", "#5DB665", "#2A2C34"),
    ("#ECB5C9", "#DA7298", "#2A2C34"),
    ("#4C8EDA", "#2870C2", "#FFFFFF"),
    ("#FFC454", "#D7A013", "#2A2C34"),
    ("#DA7194", "#CC3C6C", "#FFFFFF"),
    ("#569480", "#447666", "#FFFFFF"),
)


def generated_files() -> dict[Path, str]:
    """Return what each generated file should contain."""
    folder = cypher_folder()
    return {
        folder / "schema" / "schema.md": "\n".join(_page()),
        folder / "schema" / "constraints.cypher": "\n".join(_constraints()),
        folder / "browser" / "graphmind.grass": "\n".join(_style()),
        **_guides(guides_folder()),
        **_queries(queries_folder()),
    }


def stale_files() -> list[Path]:
    """Return the generated files that are missing, differ or are of nothing any more, sorted."""
    texts = generated_files()
    stale = {
        path
        for path, text in texts.items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    }
    folders = (guides_folder(), queries_folder())
    found = {path for folder in folders if folder.is_dir() for path in folder.iterdir()}
    return sorted(stale | found - texts.keys())


def write_files() -> list[Path]:
    """Write the generated files that are stale, delete those of nothing; return them, sorted."""
    texts, stale = generated_files(), stale_files()
    for path in stale:
        if path in texts:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(texts[path], encoding="utf-8")
        else:
            path.unlink()
    return stale


def _guides(folder: Path) -> dict[Path, str]:
    written = {"html": guide_html, "adoc": guide_asciidoc}
    return {
        folder / f"{guide.name}.{ending}": write(guide)
        for guide in GUIDES
        for ending, write in written.items()
    }


def _queries(folder: Path) -> dict[Path, str]:
    return {folder / f"{asked.name}.cypher": kept_query(asked) for asked in list_questions()}


def _constraints() -> Iterator[str]:
    yield f"// {NOTE}"
    for text in schema_texts():
        yield f"{text};"
    yield ""


def _page() -> Iterator[str]:
    yield from ("# The property graph", "", NOTE, "")
    yield from ("Times are epoch milliseconds. A value that is absent is not stored.", "")
    yield from ("```mermaid", "graph LR", *_picture(), "```", "", "## Nodes", "")
    for label, node in NODES.items():
        yield from (f"### {label}", "", _described(node), "")
        yield from ("| property | type | unit | meaning |", "| --- | --- | --- | --- |")
        yield from (_property_row(p, is_key=p.stored == key_of(node)) for p in declared(node))
        yield ""
    yield from ("## Relationships", "")
    for type_, edge in EDGES.items():
        yield from (f"### {type_}", "", _described(edge), "")
        yield from (f"- `(:{from_})-[:{type_}]->(:{to})`" for from_, to in edge.ENDS)
        yield ""
        if declared(edge):
            yield from ("| property | type | unit | meaning |", "| --- | --- | --- | --- |")
            yield from (_property_row(p, is_key=False) for p in declared(edge))
            yield ""


def _picture() -> Iterator[str]:
    for type_, edge in EDGES.items():
        if len(edge.ENDS) > ENDS_DRAWN:
            yield f"    {edge.ENDS[0][0]} -->|{type_}| anything[anything shared]"
        else:
            yield from (f"    {from_} -->|{type_}| {to}" for from_, to in edge.ENDS)


def _described(cls: type[Node] | type[Edge]) -> str:
    found = " Found by an analysis run; the next run replaces it." if cls.DERIVED else ""
    return f"{cls.__doc__}{found}"


def _property_row(prop: Property, *, is_key: bool) -> str:
    name = f"**{prop.stored}** (key)" if is_key else prop.stored
    if prop.ref:
        return f"| {name} | `-[:{prop.ref.type}]->({prop.ref.label})` | | {prop.meaning} |"
    return f"| {name} | {prop.type} | {prop.unit} | {prop.meaning} |"


def _style() -> Iterator[str]:
    yield f"/* {NOTE} */"
    yield "node { diameter: 50px; color: #A5ABB6; border-color: #9AA1AC; border-width: 2px; }"
    yield "relationship { color: #A5ABB6; shaft-width: 1px; font-size: 8px; caption: '<type>'; }"
    # A bare rule colours no label that has none of its own.
    for (label, node), (fill, border, text) in zip(NODES.items(), cycle(COLOURS), strict=False):
        yield (
            f"node.{label} {{ color: {fill}; border-color: {border}; "
            f"text-color-internal: {text}; caption: '{{{key_of(node)}}}'; }}"
        )
    yield ""
