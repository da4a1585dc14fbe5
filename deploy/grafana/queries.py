"""Queries of panels: rows of graphmind's API by the Infinity data source, numbers by Prometheus."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from grafana_foundation_sdk.builders import prometheus
from grafana_foundation_sdk.cog import variants
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.common import DataSourceRef

INFINITY: Final = "yesoreyeram-infinity-datasource"
API: Final = DataSourceRef(type_val=INFINITY, uid="${api}")
PROMETHEUS: Final = DataSourceRef(type_val="prometheus", uid="${prometheus}")
PATH: Final = "/api/v1/grafana"
TIMES: Final = frozenset({"time", "timeEnd", "onset", "last", "last_onset", "worst", "since"})
"""Columns that hold epoch milliseconds."""
TEXTS: Final = frozenset(
    "incident_id title state severity symptom root_module root_cause cause cluster_id repair_id "
    "repair_state strategy name outcome module place series trace_id task path error_code code "
    "root_node id source target subtitle mainstat secondarystat icon detail__kind role kind label "
    "detail__mark reason text service agent level verdict operator figure repair_effect tags "
    "detail__strategy detail__state __text __value group".split()
)
FLAGS: Final = frozenset({"failed", "recovered", "back"})


@dataclass(frozen=True)
class InfinityQuery(variants.Dataquery, Builder[variants.Dataquery]):
    """One query of the Infinity data source, as its backend parser reads it."""

    query: Mapping[str, Any]

    def to_json(self) -> Mapping[str, Any]:
        """Return it as it stands in a dashboard."""
        return self.query

    def build(self) -> Self:
        """Return itself: it is the builder too."""
        return self


def rows(
    path: str, columns: str, *, shape: str = "table", ref: str = "A", **parameters: str
) -> InfinityQuery:
    """Ask the API for rows below PATH; ``columns`` are those wanted, parted by blanks.

    ``shape``: table, timeseries (rows of text and one number become series), dataframe,
    node-graph-nodes or node-graph-edges. The time shown goes along as ``from`` and ``to``.
    """
    window = {"from": "${__from}", "to": "${__to}", "step": "${__interval_ms}"}
    wanted = {**window, **parameters}
    return InfinityQuery(
        {
            "refId": ref,
            "datasource": {"type": INFINITY, "uid": API.uid},
            "type": "json",
            "source": "url",
            "parser": "backend",
            "format": shape,
            "url": f"{PATH}/{path}",
            "url_options": {
                "method": "GET",
                "data": "",
                "params": [{"key": key, "value": value} for key, value in wanted.items()],
            },
            "root_selector": "",
            "columns": [
                {"selector": name, "text": name, "type": _type(name)} for name in columns.split()
            ],
            "filters": [],
        }
    )


def _type(name: str) -> str:
    if name in TIMES:
        return "timestamp_epoch"
    if name in FLAGS:
        return "boolean"
    return "string" if name in TEXTS else "number"


def number(expression: str, legend: str = "", *, ref: str = "A") -> prometheus.Dataquery:
    """Ask Prometheus for an expression over the time shown."""
    query = prometheus.Dataquery().expr(expression).ref_id(ref).datasource(PROMETHEUS)
    return query.legend_format(legend or "__auto").range()
