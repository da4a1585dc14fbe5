"""Every query of every dashboard is run against the API, and its columns are looked at."""

from typing import Any

import pytest

from tests.deploy.conftest import DASHBOARDS, Shown, dashboard_of, panels_of

INFINITY = "yesoreyeram-infinity-datasource"
TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "timestamp_epoch": (int,),
    "boolean": (bool,),
}
MAY_BE_EMPTY = {"diagnosis/codes"}
"""No trace of the planted platform states an error code; tests/api/test_grafana.py plants one."""


def queries(shape: str = "") -> list[Any]:
    """Infinity queries of panels, variables and annotations; ``shape``: only those of a format."""
    found = []
    for path in DASHBOARDS:
        board = dashboard_of(path)
        asked = [(p["title"], q) for p in panels_of(board) for q in p["targets"]]
        asked += [(a["name"], a["target"]) for a in board["annotations"]["list"]]
        asked += [
            (v["name"], v["query"]["infinityQuery"])
            for v in board["templating"]["list"]
            if v["type"] == "query"
        ]
        found += [
            pytest.param(query, id=f"{board['uid']}:{title}:{query['refId']}")
            for title, query in asked
            if query.get("type") == "json" and shape in ("", query["format"])
        ]
    return found


def asked(planted: Shown, query: dict[str, Any]) -> list[dict[str, Any]]:
    """Send a query as the data source would, variables filled in."""
    parameters = []
    for each in query["url_options"]["params"]:
        value = planted.variables().get(each["value"], each["value"])
        assert "$" not in value, f"no value for {each}"
        parameters.append((each["key"], value))
    answer = planted.client.get(query["url"], params=parameters)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


@pytest.mark.parametrize("query", queries())
def test_a_query_gives_the_columns_that_its_panel_selects(planted: Shown, query: dict[str, Any]):
    rows = asked(planted, query)

    path = query["url"].removeprefix("/api/v1/grafana/")
    assert rows or path in MAY_BE_EMPTY
    for column in query["columns"]:
        name, types = column["selector"], TYPES[column["type"]]
        values = [row[name] for row in rows]  # A column that is not there is a KeyError.
        wrong = [value for value in values if value is not None and not isinstance(value, types)]
        assert wrong == [], f"{name} should be {column['type']}"
        if column["type"] == "number":
            assert not any(isinstance(value, bool) for value in values)


@pytest.mark.parametrize("query", queries("timeseries"))
def test_rows_that_become_series_come_by_time_with_one_number_a_label(
    planted: Shown, query: dict[str, Any]
):
    rows = asked(planted, query)
    kinds = [column["type"] for column in query["columns"]]
    labels = [c["selector"] for c in query["columns"] if c["type"] == "string"]

    assert kinds[0] == "timestamp_epoch"
    assert "number" in kinds
    times = [row["time"] for row in rows]
    assert times == sorted(times)
    places = [(row["time"], *(row[label] for label in labels)) for row in rows]
    assert len(set(places)) == len(places)


def test_all_queries_of_the_api_are_shown_somewhere(planted: Shown):
    document = planted.client.get("/api/v1/openapi.json").json()
    offered = {path for path in document["paths"] if path.startswith("/api/v1/grafana/")}
    shown = {query.values[0]["url"] for query in queries()}

    assert offered - shown == set()


def test_nodes_and_edges_of_a_graph_fit_each_other(planted: Shown):
    for nodes, edges in (
        ("incident/nodes", "incident/edges"),
        ("evolution/nodes", "evolution/edges"),
    ):
        of = {"incident": planted.repair.incident_id} if nodes.startswith("incident") else {}
        found, joined = planted.rows(nodes, **of), planted.rows(edges, **of)
        ids = [node["id"] for node in found]

        assert len(set(ids)) == len(ids)
        assert len({edge["id"] for edge in joined}) == len(joined)
        assert joined
        assert {end for edge in joined for end in (edge["source"], edge["target"])} <= set(ids)
        for node in found:
            arcs = [value for name, value in node.items() if name.startswith("arc__")]
            assert sum(arcs) == pytest.approx(1.0)
            assert all(0 <= arc <= 1 for arc in arcs)
