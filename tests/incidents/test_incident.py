import orjson

from graphmind.incidents.incident import Item
from tests.incidents.windows import incident


def test_the_document_holds_everything_by_its_name_as_json_has_it():
    document = incident(("agent", "a"), ("region", "eu"), written=["k"]).document()

    again = orjson.loads(orjson.dumps(document))
    assert again["causes"][0]["all_of"] == [
        {"kind": "agent", "name": "a"},
        {"kind": "region", "name": "eu"},
    ]
    assert again["reach"] == {
        "traces": 10,
        "failing": 8,
        "last_ms": 9000,
        "tasks": ["chat"],
        "agents": ["a"],
        "regions": ["eu"],
        "written_keys": ["k"],
    }
    assert again["trace_ids"] == ["t1", "t2"]


def test_an_item_reads_as_kind_and_name():
    assert str(Item(kind="agent", name="planner")) == "agent planner"
