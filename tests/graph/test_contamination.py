from graphmind.graph.contamination import EDGES_MAX, contamination_rows
from graphmind.graph.schema import EDGES, properties


def lineage(*edges):
    names = ("from", "to", "key", "hops")
    return {"contaminated": [dict(zip(names, edge, strict=True)) for edge in edges]}


def test_a_row_is_of_the_reader_the_writer_and_the_run():
    assert contamination_rows([lineage(("r", "w", "k", 1))], "run-1") == [
        {"from": "r", "to": "w", "key": "k", "hops": 1, "runId": "run-1"}
    ]


def test_two_ways_between_two_traces_give_the_shorter_then_the_lesser_key():
    rows = contamination_rows(
        [lineage(("r", "w", "b", 2), ("r", "w", "c", 1)), lineage(("r", "w", "a", 1))], "run-1"
    )

    assert [(row["key"], row["hops"]) for row in rows] == [("a", 1)]


def test_rows_are_sorted_by_their_ends():
    rows = contamination_rows([lineage(("s", "w", "k", 1), ("r", "w", "k", 1))], "run-1")

    assert [row["from"] for row in rows] == ["r", "s"]


def test_a_lineage_gives_no_more_than_so_many_edges():
    edges = [(f"r{n:06}", "w", "k", 1) for n in range(EDGES_MAX + 1)]

    assert len(contamination_rows([lineage(*edges)], "run-1")) == EDGES_MAX


def test_the_schema_declares_what_the_rows_say():
    declared = {p.stored for p in properties(EDGES["CONTAMINATED_BY"])}

    assert {"key", "hops", "runId"} <= declared
