"""Panels of Grafana about repairs: their effect, the clusters they answer, how they evolved."""

from typing import Annotated

from fastapi import APIRouter, Query

from graphmind.jobs.panels import clusters, repairs
from graphmind.jobs.panels.repairs import Incidents, live_repairs
from graphmind.jobs.panels.view import Row, View
from graphmind_api import grafana_repair_models as rows
from graphmind_api.context import API, OpenStores
from graphmind_api.grafana_models import Choice
from graphmind_api.routes.grafana import CurrentView, shown

router = APIRouter(prefix=f"{API}/grafana", tags=["grafana"])
OfCluster = Annotated[str, Query(max_length=256, description="Id of a cluster; blank: all")]


@router.get("/repairs", summary="Repairs with the time of each stage")
def read_runs(stores: OpenStores, view: CurrentView) -> list[rows.RunRow]:
    """Newest first; dry runs are left out."""
    found = repairs.runs(live_repairs(stores, view), _incidents(stores))
    return shown(rows.RunRow, found)


@router.get("/repairs/strategies", summary="Runs and success by strategy")
def read_strategies(stores: OpenStores, view: CurrentView) -> list[rows.StrategyRow]:
    """One row a revision, most runs first."""
    return shown(rows.StrategyRow, repairs.strategies(live_repairs(stores, view)))


@router.get("/repairs/coverage", summary="Coverage by kind of root cause")
def read_coverage(stores: OpenStores, view: CurrentView) -> list[rows.CoverageRow]:
    """How many incidents had a repair planned, and an effective one."""
    found = live_repairs(stores, view)
    return shown(rows.CoverageRow, repairs.coverage(found, stores.archive.incidents(), view))


@router.get("/repairs/figures", summary="Figures before and after each repair")
def read_figures(stores: OpenStores, view: CurrentView) -> list[rows.FigureRow]:
    """P95 latency, failure rate and answered callbacks: healthy, in the incident, after."""
    return shown(rows.FigureRow, repairs.figures(live_repairs(stores, view)))


@router.get("/clusters", summary="Cluster board: root cause, cluster, effect of repairs")
def read_clusters(stores: OpenStores, view: CurrentView) -> list[rows.ClusterRow]:
    """Newest onset first."""
    found = clusters.board(stores.archive.incidents(), live_repairs(stores, view), view)
    return shown(rows.ClusterRow, found)


@router.get("/clusters/names", summary="Clusters of a time, to choose from")
def read_cluster_names(stores: OpenStores, view: CurrentView) -> list[Choice]:
    """Root cause and id of each, newest onset first."""
    return [
        Choice.model_validate({"__text": row["root_cause"], "__value": row["cluster_id"]})
        for row in clusters.board(stores.archive.incidents(), (), view)
    ]


@router.get("/evolution/nodes", summary="Nodes of the tree of repairs")
def read_tree_nodes(
    stores: OpenStores, view: CurrentView, cluster: OfCluster = ""
) -> list[rows.TreeNodeRow]:
    """Root causes, their incidents, and each repair below the one tried before."""
    return shown(rows.TreeNodeRow, _tree(stores, view, cluster)[0])


@router.get("/evolution/edges", summary="Edges of the tree of repairs")
def read_tree_edges(
    stores: OpenStores, view: CurrentView, cluster: OfCluster = ""
) -> list[rows.TreeEdgeRow]:
    """What was tried after what."""
    return shown(rows.TreeEdgeRow, _tree(stores, view, cluster)[1])


def _tree(stores: OpenStores, view: View, cluster: str) -> tuple[list[Row], list[Row]]:
    found = live_repairs(stores, view)
    return clusters.evolution(stores.archive.incidents(), found, cluster_id=cluster.strip())


def _incidents(stores: OpenStores) -> Incidents:
    return {str(each["incident_id"]): each for each in stores.archive.incidents()}
