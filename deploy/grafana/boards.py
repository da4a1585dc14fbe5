"""What every dashboard has: its name, its data sources, links to the others, what happened."""

from collections.abc import Sequence
from typing import Any, Final

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    VariableHide,
    VariableOption,
    VariableRefresh,
)

from deploy.grafana.panels import Panel
from deploy.grafana.queries import API, INFINITY, rows

TAG: Final = "graphmind"
MARKS: Final = (("incident", "red"), ("repair", "blue"), ("change", "purple"))
"""Kinds of annotations and their colours."""


def board(
    name: str, title: str, description: str, panels: Sequence[Panel], variables: Sequence[Any] = ()
) -> dashboard.Dashboard:
    """Return a dashboard with uid ``graphmind-<name>``; nobody edits it but by this code."""
    built = (
        dashboard.Dashboard(f"graphmind / {title}")
        .uid(f"{TAG}-{name}")
        .description(description)
        .tags([TAG])
        .readonly()
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .timezone("browser")
        .time("now-1h", "now")
        .refresh("30s")
        .variables([_source("api", INFINITY), _source("prometheus", "prometheus"), *variables])
        .annotations([_marks(kind, colour) for kind, colour in MARKS])
        .link(
            dashboard.DashboardLink("graphmind")
            .type(DashboardLinkType.DASHBOARDS)
            .tags([TAG])
            .as_dropdown(True)
            .include_vars(False)
            .keep_time(True)
        )
    )
    for panel in panels:
        built = built.with_panel(panel)
    return built


def _source(name: str, kind: str) -> dashboard.DatasourceVariable:
    return (
        dashboard.DatasourceVariable(name)
        .label("graphmind" if name == "api" else "Prometheus")
        .description("Data source that the panels ask")
        .type(kind)
        .current(VariableOption(text=f"{TAG}-{name}", value=f"{TAG}-{name}", selected=True))
    )


def _marks(kind: str, colour: str) -> dashboard.AnnotationQuery:
    wanted = "time timeEnd title text tags"
    return (
        dashboard.AnnotationQuery()
        .name(f"{kind}s")
        .datasource(API)
        .enable(True)
        .icon_color(colour)
        .target(rows("annotations", wanted, shape="dataframe", ref="Anno", kinds=kind))
    )


def choice(name: str, label: str, path: str, *, is_optional: bool = False) -> Any:
    """Return a variable whose values the API names; an optional one may be all, which is empty."""
    query: dict[str, object] = {
        "queryType": "infinity",
        "query": "",
        "infinityQuery": dict(rows(path, "__text __value", ref="variable").query),
    }
    variable = (
        dashboard.QueryVariable(name)
        .label(label)
        .description(f"{label} that the panels show")
        .datasource(API)
        .query(query)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
    )
    return variable.include_all(True).all_value(" ") if is_optional else variable


def text(name: str, label: str) -> dashboard.TextBoxVariable:
    """Return a variable that is typed, or set by a link."""
    return (
        dashboard.TextBoxVariable(name)
        .label(label)
        .description(f"{label} that the panels show")
        .default_value("")
        .hide(VariableHide.DONT_HIDE)
    )


def options(name: str, label: str, *values: str) -> dashboard.CustomVariable:
    """Return a variable with fixed values, the first of which is chosen."""
    return (
        dashboard.CustomVariable(name)
        .label(label)
        .description(f"{label} that the panels show")
        .values(",".join(values))
        .current(VariableOption(text=values[0], value=values[0], selected=True))
    )
