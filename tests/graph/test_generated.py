from graphmind.graph.browser import queries_folder
from graphmind.graph.generated import generated_files, stale_files, write_files
from graphmind.graph.schema import EDGES, NODES, Edge, Node, properties


def test_the_generated_files_are_fresh():
    assert stale_files() == []


def test_the_page_shows_every_label_type_and_property():
    page = next(text for path, text in generated_files().items() if path.name == "schema.md")

    declared: dict[str, type[Node | Edge]] = {**NODES, **EDGES}
    for name, cls in declared.items():
        section = page[page.index(f"\n### {name}\n") :].split("\n### ")[1]
        assert all(p.stored in section for p in properties(cls))


def test_every_label_has_a_style_of_its_own():
    style = next(text for path, text in generated_files().items() if path.suffix == ".grass")

    assert all(f"\nnode.{label} {{" in style for label in NODES)


def test_a_file_of_a_question_that_is_gone_is_stale():
    left = queries_folder() / "gone.cypher"
    try:
        left.touch()
        assert stale_files() == [left]
        assert write_files() == [left]
        assert not left.exists()
    finally:
        left.unlink(missing_ok=True)
