"""Panels of Grafana: flat arrays over a stretch of time, read by its Infinity data source."""

import time
from typing import Annotated, Any, Literal, TypeVar

from fastapi import APIRouter, Depends, Query
from fastapi.exceptions import RequestValidationError

from graphmind.errors import SettingsError
from graphmind.jobs.panels import anomalies, diagnosis, fleet, incidents
from graphmind.jobs.panels.annotations import KINDS, annotations
from graphmind.jobs.panels.drift import drifts
from graphmind.jobs.panels.repairs import live_repairs
from graphmind.jobs.panels.view import Row, View
from graphmind_api import grafana_models as rows
from graphmind_api.context import API, CurrentSettings, OpenStores
from graphmind_api.models import Body, Int64
from graphmind_api.problems import UNKNOWN

router = APIRouter(prefix=f"{API}/grafana", tags=["grafana"])
Shown = TypeVar("Shown", bound=Body)


def _view(
    begin: Annotated[
        Int64 | None, Query(alias="from", description="Epoch ms; an hour before `to` without it")
    ] = None,
    end: Annotated[Int64 | None, Query(alias="to", description="Epoch ms; now without it")] = None,
    step: Annotated[
        int, Query(ge=0, le=2**40, description="Step in ms; whole minutes, at most 240 of them")
    ] = 0,
) -> View:
    now_ms = time.time_ns() // 1_000_000
    try:
        return View.of(from_ms=begin, until_ms=end, step_ms=step, now_ms=now_ms)
    except SettingsError as error:
        raise RequestValidationError([{"loc": ("query", "from"), "msg": str(error)}]) from error


def shown(kind: type[Shown], found: list[Row]) -> list[Shown]:
    """Return rows of a job as bodies."""
    return [kind.model_validate(row) for row in found]


CurrentView = Annotated[View, Depends(_view)]
OfIncident = Annotated[
    str, Query(max_length=256, description="Id of an incident; empty: of none, where one is drawn")
]
OfTrace = Annotated[str, Query(max_length=256, description="Id of a trace; empty: no rows")]
Kind = Literal["agent", "service", "model_version", "region", "module", "tool", "kv_key", "task"]
OfKind = Annotated[Kind, Query(description="Kind of item")]


@router.get("/pace", summary="Traces and their pace by step")
def read_pace(stores: OpenStores, view: CurrentView) -> list[rows.PaceRow]:
    """How many traces began and failed, how many are complete, how long they took."""
    return shown(rows.PaceRow, fleet.pace(stores.archive, view))


@router.get("/outcomes", summary="Traces by outcome and step")
def read_outcomes(stores: OpenStores, view: CurrentView) -> list[rows.OutcomeRow]:
    """One row an outcome and step."""
    return shown(rows.OutcomeRow, fleet.outcomes(stores.archive, view))


@router.get("/heat", summary="Module x minute")
def read_heat(stores: OpenStores, view: CurrentView) -> list[rows.HeatRow]:
    """How many traces ran each module, and went wrong in it."""
    return shown(rows.HeatRow, fleet.heat(stores.archive, view))


@router.get("/groups", summary="Agents, model versions, regions, ... and how they fare")
def read_groups(stores: OpenStores, view: CurrentView, kind: OfKind) -> list[rows.GroupRow]:
    """At most 100 items of a kind, those with most failing traces first."""
    return shown(rows.GroupRow, fleet.groups(stores.archive, view, kind))


@router.get("/drift", summary="Agents and how far they drifted")
def read_drift_rows(stores: OpenStores, view: CurrentView) -> list[rows.DriftRow]:
    """The time shown against as much time before; farthest first."""
    return shown(rows.DriftRow, drifts(stores.archive, view))


@router.get("/incidents", summary="Incidents of a time, newest first")
def read_incident_rows(
    stores: OpenStores,
    view: CurrentView,
    *,
    is_open: Annotated[bool, Query(alias="open", description="Only those not closed")] = False,
) -> list[rows.IncidentRow]:
    """Those that went on meanwhile, with their newest repair."""
    repairs = live_repairs(stores, view)
    found = incidents.incidents(stores.archive, repairs, view, is_open=is_open)
    return shown(rows.IncidentRow, found)


@router.get("/incidents/names", summary="Incidents of a time, to choose from")
def read_incident_names(stores: OpenStores, view: CurrentView) -> list[rows.Choice]:
    """Title and id of each, newest first."""
    found = incidents.incidents(stores.archive, (), view)
    return [
        rows.Choice.model_validate({"__text": row["title"], "__value": row["incident_id"]})
        for row in found
    ]


@router.get("/incident/causes", summary="Causes of an incident", responses=UNKNOWN)
def read_causes(stores: OpenStores, incident: OfIncident = "") -> list[rows.CauseRow]:
    """Strongest first, each with what it explains and what not."""
    return shown(rows.CauseRow, incidents.causes(stores.archive, incident))


@router.get("/incident/states", summary="States of an incident", responses=UNKNOWN)
def read_states(stores: OpenStores, incident: OfIncident = "") -> list[rows.StateRow]:
    """As they followed each other; each holds until the next."""
    return shown(rows.StateRow, incidents.states(stores.archive, incident))


@router.get("/incident/traces", summary="Traces of an incident", responses=UNKNOWN)
def read_traces(stores: OpenStores, incident: OfIncident = "") -> list[rows.TraceRow]:
    """The newest 1,000 that are still archived."""
    return shown(rows.TraceRow, incidents.traces(stores.archive, incident))


NodesMax = Annotated[int, Query(ge=1, le=1500, description="Nodes at most")]


@router.get("/incident/nodes", summary="Nodes of an incident's graph", responses=UNKNOWN)
def read_nodes(
    stores: OpenStores, incident: OfIncident = "", nodes_max: NodesMax = 150
) -> list[rows.NodeRow]:
    """The incident, its causes and what its traces touch, by Grafana's names."""
    return shown(rows.NodeRow, _graph(stores, incident, nodes_max)[0])


@router.get("/incident/edges", summary="Edges of an incident's graph", responses=UNKNOWN)
def read_edges(
    stores: OpenStores, incident: OfIncident = "", nodes_max: NodesMax = 150
) -> list[rows.EdgeRow]:
    """The edges between the nodes that `incident/nodes` gives for the same `nodes_max`."""
    return shown(rows.EdgeRow, _graph(stores, incident, nodes_max)[1])


@router.get("/incident/hidden", summary="What an incident's graph leaves out", responses=UNKNOWN)
def read_hidden(
    stores: OpenStores, incident: OfIncident = "", nodes_max: NodesMax = 150
) -> list[rows.HiddenRow]:
    """One row."""
    return shown(rows.HiddenRow, [_graph(stores, incident, nodes_max)[2]])


def _graph(stores: OpenStores, incident: str, nodes_max: int) -> tuple[list[Row], list[Row], Row]:
    return incidents.node_graph(stores.archive, incident, nodes_max=nodes_max)


@router.get("/diagnosis/timeline", summary="Timeline of a trace", responses=UNKNOWN)
def read_timeline(
    stores: OpenStores, settings: CurrentSettings, trace: OfTrace = ""
) -> list[rows.TimelineRow]:
    """Spans as they began, log lines between them."""
    return shown(rows.TimelineRow, diagnosis.timeline(stores, settings, trace))


@router.get("/diagnosis/codes", summary="Error codes by frequency", responses=UNKNOWN)
def read_codes(
    stores: OpenStores, view: CurrentView, incident: OfIncident = ""
) -> list[rows.CodeRow]:
    """Of the failing traces of an incident, or of all of the time without one."""
    return shown(rows.CodeRow, diagnosis.error_codes(stores.archive, view, incident))


@router.get("/diagnosis/distribution", summary="Where traces went wrong", responses=UNKNOWN)
def read_distribution(
    stores: OpenStores, view: CurrentView, incident: OfIncident = ""
) -> list[rows.FaultRow]:
    """Failing traces by the node where they went wrong, most first."""
    return shown(rows.FaultRow, diagnosis.distribution(stores.archive, view, incident))


@router.get("/diagnosis/metrics", summary="Trend of a signal")
def read_metrics(
    stores: OpenStores,
    view: CurrentView,
    name: Annotated[str, Query(max_length=256, description="Of the signal; empty: no rows")] = "",
) -> list[rows.PointRow]:
    """One series for each set of labels."""
    return shown(rows.PointRow, diagnosis.metric_trend(stores.archive, view, name))


@router.get("/diagnosis/metrics/names", summary="Signals measured, to choose from")
def read_metric_names(stores: OpenStores, view: CurrentView) -> list[rows.Choice]:
    """Those with a point in the time, sorted."""
    return shown(rows.Choice, diagnosis.metric_names(stores.archive, view))


@router.get("/anomalies", summary="Anomaly map: time x place x strategy")
def read_anomalies(
    stores: OpenStores, view: CurrentView, place: OfKind = "region"
) -> list[rows.CellRow]:
    """Failing traces by step, place and the strategy that answered their incident."""
    return shown(rows.CellRow, _map(stores, view, place))


@router.get("/anomalies/places", summary="Anomaly map summed up by place and strategy")
def read_places(
    stores: OpenStores, view: CurrentView, place: OfKind = "region"
) -> list[rows.PlaceRow]:
    """Most failing traces first."""
    return shown(rows.PlaceRow, anomalies.anomaly_places(_map(stores, view, place)))


def _map(stores: OpenStores, view: View, place: str) -> list[dict[str, Any]]:
    return anomalies.anomaly_map(stores.archive, live_repairs(stores, view), view, place)


@router.get("/annotations", summary="Incidents, repairs and changes over a time axis")
def read_annotations(
    stores: OpenStores,
    view: CurrentView,
    kinds: Annotated[
        list[Literal["incident", "repair", "change"]], Query(description="All without it")
    ] = list(KINDS),  # noqa: B006 - FastAPI copies it
) -> list[rows.AnnotationRow]:
    """What began in the time, in order."""
    repairs = live_repairs(stores, view)
    return shown(rows.AnnotationRow, annotations(stores.archive, repairs, view, kinds=kinds))
