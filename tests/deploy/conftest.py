"""The planted platform behind the API, once for the room."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from graphmind.repair.record import Repair
from tests.api.conftest import client_of
from tests.deploy.planted import SIGNAL, repaired_planet
from tests.jobs.repairs.planet import Planet

DEPLOY = Path(__file__).parents[2] / "deploy"
DASHBOARDS = sorted((DEPLOY / "grafana" / "dashboards").glob("*.json"))


@dataclass(frozen=True, kw_only=True)
class Shown:
    """The API over the planted platform, and what there is to ask for."""

    client: httpx.Client
    planet: Planet
    repair: Repair
    window: dict[str, str]
    """``from`` and ``to`` that hold all of it."""

    @property
    def incident(self) -> dict[str, Any]:
        incident: dict[str, Any] = self.planet.archive.incident(self.repair.incident_id)
        return incident

    def variables(self) -> dict[str, str]:
        """What Grafana would put in place of each variable."""
        return {
            "${__from}": self.window["from"],
            "${__to}": self.window["to"],
            "${__interval_ms}": "15000",
            "${incident}": self.repair.incident_id,
            "${trace}": self.incident["trace_ids"][0],
            "${cluster}": self.repair.cluster_id,
            "${place}": "region",
            "${signal}": SIGNAL,
        }

    def rows(self, path: str, **parameters: str) -> list[dict[str, Any]]:
        """Ask for the rows of a panel over all of the time."""
        answer = self.client.get(f"/api/v1/grafana/{path}", params={**self.window, **parameters})
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()
        return found


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    with repaired_planet(tmp_path_factory.mktemp("planet")) as (planet, repair):
        window = {"from": str(planet.ms - 3_600_000), "to": str(planet.ms + 1_000)}
        with client_of(planet.stores, planet.settings) as client:
            yield Shown(client=client, planet=planet, repair=repair, window=window)


def dashboard_of(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def panels_of(dashboard: dict[str, Any]) -> list[dict[str, Any]]:
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]
