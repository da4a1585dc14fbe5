"""What every dashboard must have, after the cheap rules of Grafana's dashboard-linter."""

import re
from pathlib import Path
from typing import Any

import pytest

from deploy.grafana.build import stale
from tests.deploy.conftest import DASHBOARDS, dashboard_of, panels_of

pytestmark = pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
WITH_UNIT = {"stat", "timeseries", "barchart", "bargauge", "status-history", "xychart"}
WANTED = {
    *("fleet", "incident", "diagnosis", "repairs", "anomaly-map", "clusters", "evolution"),
    *("drift", "capture"),
}
SOURCES = {"${api}", "${prometheus}"}
DASHBOARD_LINK = re.compile(r"/d/([a-z-]+)\?([^\"]*)")


def expressions(board: dict[str, Any]) -> list[str]:
    return [q["expr"] for panel in panels_of(board) for q in panel["targets"] if "expr" in q]


def test_it_is_named_for_good_and_cannot_be_edited_by_hand(path: Path):
    board = dashboard_of(path)

    assert board["uid"] == path.stem
    assert path.stem.removeprefix("graphmind-") in WANTED
    assert len(board["uid"]) <= 40
    assert board["id"] is None
    assert board["editable"] is False
    assert "graphmind" in board["tags"]
    assert board["title"].startswith("graphmind / ")
    assert board["description"].endswith(".")


def test_its_sources_are_variables_with_the_names_that_are_provisioned(path: Path):
    board = dashboard_of(path)
    variables = {v["name"]: v for v in board["templating"]["list"]}

    assert variables["api"]["query"] == "yesoreyeram-infinity-datasource"
    assert variables["prometheus"]["query"] == "prometheus"
    assert all(v["label"] and v["description"] for v in variables.values())
    sources = {panel["datasource"]["uid"] for panel in panels_of(board)}
    sources |= {q["datasource"]["uid"] for p in panels_of(board) for q in p["targets"]}
    assert sources <= SOURCES


def test_every_panel_says_what_it_shows_in_which_unit(path: Path):
    for panel in panels_of(dashboard_of(path)):
        assert panel["title"], panel
        assert panel["description"].endswith("."), panel["title"]
        assert panel["targets"], panel["title"]
        if panel["type"] in WITH_UNIT:
            assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]


def test_panels_have_ids_and_places_of_their_own(path: Path):
    panels = panels_of(dashboard_of(path))
    ids = [panel["id"] for panel in panels]
    taken: set[tuple[int, int]] = set()

    assert len(set(ids)) == len(ids)
    for panel in panels:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert at["x"] + at["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells


def test_it_links_to_the_others_and_its_links_lead_somewhere(path: Path):
    board = dashboard_of(path)
    known = {each.stem: dashboard_of(each) for each in DASHBOARDS}

    assert [link["tags"] for link in board["links"]] == [["graphmind"]]
    for uid, parameters in DASHBOARD_LINK.findall(path.read_text("utf-8")):
        names = {v["name"] for v in known[uid]["templating"]["list"]}
        assert set(re.findall(r"var-(\w+)=", parameters)) <= names


def test_rates_are_over_what_grafana_finds_fit(path: Path):
    for expression in expressions(dashboard_of(path)):
        for window in re.findall(r"\brate\([^\[]*\[([^\]]*)\]", expression):
            assert window == "$__rate_interval", expression


def test_variables_that_are_used_are_there(path: Path):
    board = dashboard_of(path)
    text = path.read_text("utf-8")
    used = set(re.findall(r"\$\{(?!__)(\w+)", text))

    assert used <= {v["name"] for v in board["templating"]["list"]}


def test_it_is_what_its_code_builds(path: Path):
    assert path.name not in stale(), "run python -m deploy.grafana.build"
