"""Panels in the few forms that the dashboards use; Grafana's own builders do the rest."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from grafana_foundation_sdk.builders import (
    barchart,
    bargauge,
    common,
    dashboard,
    nodegraph,
    stat,
    statetimeline,
    statushistory,
    table,
    timeseries,
    xychart,
)
from grafana_foundation_sdk.models import common as shapes
from grafana_foundation_sdk.models.dashboard import (
    DynamicConfigValue,
    FieldColorModeId,
    Threshold,
    ThresholdsMode,
)
from grafana_foundation_sdk.models.xychart import SeriesMapping

from deploy.grafana.queries import API, PROMETHEUS, InfinityQuery

Query = Any
"""An ``InfinityQuery`` or a query of Prometheus."""
Panel = Any
"""A builder of any kind of panel: the SDK gives them no common class."""
UNITS: Final[Mapping[str, str]] = {
    "_share": "percentunit",
    "_ratio": "percentunit",
    "confidence": "percentunit",
    "share": "percentunit",
    "coverage": "percentunit",
    "_ms": "ms",
    "_s": "s",
    "_shift": "percentunit",
}
"""Units by the end of a column's name."""
LINKS: Final[Mapping[str, tuple[str, str]]] = {
    "incident_id": (
        "Incident",
        "/d/graphmind-incident?var-incident=${__value.raw}&${__url_time_range}",
    ),
    "trace_id": (
        "Diagnosis",
        "/d/graphmind-diagnosis?var-trace=${__value.raw}&${__url_time_range}",
    ),
    "cluster_id": (
        "Repairs",
        "/d/graphmind-evolution?var-cluster=${__value.raw}&${__url_time_range}",
    ),
}
"""Where the ids of a table lead."""
GOOD, WARN, BAD = "green", "orange", "red"


def finish(
    panel: Panel, title: str, description: str, queries: Sequence[Query], *, span: int, height: int
) -> Panel:
    """Give a panel what every panel has; ``span`` is of 24 columns, ``height`` in rows of 30 px."""
    source = API if isinstance(queries[0], InfinityQuery) else PROMETHEUS
    return (
        panel.title(title)
        .description(description)
        .datasource(source)
        .targets(list(queries))
        .span(span)
        .height(height)
    )


def figure(
    title: str, description: str, query: Query, *, unit: str, warn: float, bad: float, span: int = 4
) -> Panel:
    """One number; it turns orange at ``warn``, red at ``bad``, which may lie below."""
    steps = [Threshold(color=GOOD), Threshold(value=warn, color=WARN)]
    steps.append(Threshold(value=bad, color=BAD))
    if bad < warn:
        steps = [Threshold(color=BAD), Threshold(value=bad, color=WARN)]
        steps.append(Threshold(value=warn, color=GOOD))
    panel = (
        stat.Panel()
        .unit(unit)
        .no_value("none yet")
        .color_mode(shapes.BigValueColorMode.VALUE)
        .graph_mode(shapes.BigValueGraphMode.AREA)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False).fields(""))
        .thresholds(dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps))
    )
    return finish(panel, title, description, [query], span=span, height=4)


def trend(
    title: str,
    description: str,
    *queries: Query,
    unit: str,
    span: int = 12,
    label: str = "",
    is_stacked: bool = False,
) -> Panel:
    """Lines over time; ``label`` names the label that tells series of one query apart."""
    panel = (
        timeseries.Panel()
        .unit(unit)
        .fill_opacity(60 if is_stacked else 8)
        .line_width(1)
        .show_points(shapes.VisibilityMode.NEVER if not label else shapes.VisibilityMode.AUTO)
        .legend(_legend())
        .tooltip(common.VizTooltipOptions().mode(shapes.TooltipDisplayMode.MULTI))
    )
    if is_stacked:
        panel = panel.stacking(common.StackingConfig().mode(shapes.StackingMode.NORMAL))
    if label:
        panel = panel.display_name(f"${{__field.labels.{label}}}")
    return finish(panel, title, description, queries, span=span, height=8)


def heat(
    title: str, description: str, query: Query, *, unit: str, label: str, span: int = 24
) -> Panel:
    """One row a series, one cell a step, coloured by its number."""
    panel = (
        statushistory.Panel()
        .unit(unit)
        .display_name(label)
        .show_value(shapes.VisibilityMode.NEVER)
        .row_height(0.9)
        .color_scheme(dashboard.FieldColor().mode(FieldColorModeId.CONTINUOUS_GR_YL_RD))
        .legend(_legend())
    )
    return finish(panel, title, description, [query], span=span, height=10)


def grid(
    title: str,
    description: str,
    query: InfinityQuery,
    *,
    span: int = 24,
    height: int = 9,
    hidden: Sequence[str] = (),
) -> Panel:
    """A table of all columns of a query, with units by their names and links behind ids."""
    panel = table.Panel().no_value("").filterable(True).cell_height(shapes.TableCellHeight.SM)
    for column in query.query["columns"]:
        name = column["selector"]
        properties = _properties(name) if name not in hidden else [_custom("hidden", value=True)]
        if properties:
            panel = panel.override_by_name(name, properties)
    return finish(panel, title, description, [query], span=span, height=height)


def _properties(name: str) -> list[DynamicConfigValue]:
    found = []
    for end, unit in UNITS.items():
        if name.endswith(end):
            found.append(DynamicConfigValue(id_val="unit", value=unit))
            break
    if name in LINKS:
        title, url = LINKS[name]
        found.append(DynamicConfigValue(id_val="links", value=[{"title": title, "url": url}]))
    return found


def _custom(name: str, *, value: Any) -> DynamicConfigValue:
    return DynamicConfigValue(id_val=f"custom.{name}", value=value)


def bars(
    title: str,
    description: str,
    query: Query,
    *,
    x: str,
    unit: str,
    span: int = 12,
    colours: Mapping[str, str] | None = None,
) -> Panel:
    """Bars by a column of text, one for each column of numbers, stacked."""
    panel = (
        barchart.Panel()
        .x_field(x)
        .unit(unit)
        .orientation(shapes.VizOrientation.HORIZONTAL)
        .stacking(shapes.StackingMode.NORMAL)
        .legend(_legend())
    )
    for name, colour in (colours or {}).items():
        fixed = DynamicConfigValue(id_val="color", value={"mode": "fixed", "fixedColor": colour})
        panel = panel.override_by_name(name, [fixed])
    return finish(panel, title, description, [query], span=span, height=9)


def gauges(title: str, description: str, query: Query, *, unit: str, span: int = 12) -> Panel:
    """Bars of the last value of each series."""
    panel = (
        bargauge.Panel()
        .unit(unit)
        .orientation(shapes.VizOrientation.HORIZONTAL)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False).fields(""))
    )
    return finish(panel, title, description, [query], span=span, height=8)


def graph(
    title: str,
    description: str,
    nodes: Query,
    edges: Query,
    arcs: Mapping[str, str],
    *,
    height: int = 18,
) -> Panel:
    """A node graph; ``arcs`` colours the parts of the nodes' rings."""
    rings: Any = [nodegraph.ArcOption().field(name).color(colour) for name, colour in arcs.items()]
    panel = nodegraph.Panel().nodes(nodegraph.NodeOptions().arcs(rings))
    return finish(panel, title, description, [nodes, edges], span=24, height=height)


def lane(title: str, description: str, query: Query, *, span: int = 24) -> Panel:
    """A state that holds until the next one."""
    panel = statetimeline.Panel().show_value(shapes.VisibilityMode.AUTO).legend(_legend())
    return finish(panel, title, description, [query], span=span, height=5)


def points(title: str, description: str, query: Query, *, unit: str, span: int = 12) -> Panel:
    """Each row a point: the first number of the query across, the others up."""
    panel = xychart.Panel().unit(unit).mapping(SeriesMapping.AUTO).legend(_legend())
    return finish(panel, title, description, [query], span=span, height=9)


def _legend() -> common.VizLegendOptions:
    return (
        common.VizLegendOptions()
        .display_mode(shapes.LegendDisplayMode.LIST)
        .placement(shapes.LegendPlacement.BOTTOM)
        .show_legend(True)
    )
