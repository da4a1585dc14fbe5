"""A small platform in memory: two kinds of task, a model behind a registry, a clock of its own."""

import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from graphmind.archive.duck import DuckArchive
from graphmind.graph.embedded import open_embedded
from graphmind.jobs.load import store_spans
from graphmind.jobs.repairs.desk import RepairDesk
from graphmind.jobs.repairs.verifying import Verifications
from graphmind.jobs.stores import Stores
from graphmind.jobs.watch import watch
from graphmind.repair.connector import (
    Action,
    Applied,
    Connector,
    Description,
    Effect,
    Planned,
    Seen,
    StateChanged,
)
from graphmind.repair.model import Call, Json
from graphmind.serving.publishing import Publisher
from graphmind.serving.settling import Settler
from graphmind.settings import Settings
from graphmind.telemetry.facts import Facts
from graphmind.telemetry.rejections import Rejections
from graphmind.telemetry.resolver_table import default_table
from graphmind.telemetry.spans import STATUS_ERROR, STATUS_OK, spans_from_rows

START_NS = 1_772_442_000 * 10**9
S_NS = 10**9
BACKGROUND = 0.005


@dataclass
class Registry:
    """A registry of one model, ``planner``: what it serves decides how requests fare."""

    version: str = "2"
    live: bool = True
    switched: list[str] = field(default_factory=list)

    def describe(self) -> Description:
        schema = {"type": "object", "required": ["to"]}
        action = Action(
            name="switch_model_version", level="model", params_schema=schema, undoable=True
        )
        return Description(
            kind="model_registry", address="memory", live=self.live, actions=(action,)
        )

    def plan(self, call: Call) -> Planned:
        undo = Call(action=call.action, target=call.target, params={"to": self.version})
        summary = f"switch {call.target} from {self.version} to {call.params['to']}"
        return Planned(before={"version": self.version}, undo=undo, summary=summary)

    def apply(self, call: Call, *, before: Json, key: str) -> Applied:
        if self.version not in (before["version"], call.params["to"]):
            raise StateChanged(f"planner serves {self.version}, not {before['version']}")
        self._switch(call.params["to"])
        return Applied(detail="switched")

    def verify(self, call: Call, *, before: Json, key: str) -> Seen:
        effects = {before["version"]: Effect.NOT_APPLIED, call.params["to"]: Effect.APPLIED}
        return Seen(effect=effects.get(self.version, Effect.OTHER), state={"version": self.version})

    def undo(self, call: Call, *, before: Json, key: str) -> Applied:
        self._switch(before["version"])
        return Applied(detail="switched back")

    def close(self) -> None:
        return None

    def _switch(self, version: str) -> None:
        if version != self.version:
            self.version = version
            self.switched.append(version)


class Planet:
    """Requests come every second; ``rates`` says how often each version of the planner fails."""

    def __init__(self, folder: Path, *, rate: int = 40, seed: int = 1, **settings: Any) -> None:
        self.ns = START_NS
        self.rate = rate
        self.registry = Registry()
        self.rates = {"2": BACKGROUND, "3": 0.4}
        self.rolled_out = 1.0
        """Share of the planner's requests that the registry's version serves; 2 serves the rest."""
        self.lost: frozenset[str] = frozenset()
        """Regions in which all that is asked fails."""
        self.hangs = False
        """What fails takes 11 s and is told of only then; else it fails at once."""
        self._ending: list[dict[str, Any]] = []
        self.settings = Settings(**settings)
        self.archive = DuckArchive(None)
        self.graph = open_embedded(folder)
        self.stores = Stores(archive=self.archive, graph=self.graph)
        self._chance = random.Random(seed)
        self._number = 0
        self._settler = Settler(
            self.archive, self.settings, now_ns=lambda: self.ns, chance=random.Random(seed)
        )
        self.publisher = Publisher(self.stores, self.settings)
        self.connectors: dict[str, Connector] = {"registry": self.registry}
        self.desk = self.new_desk()
        self.verifications = Verifications(self.desk)

    @property
    def ms(self) -> int:
        return self.ns // 1_000_000

    def new_desk(self) -> RepairDesk:
        """Open the desk as a new process would."""
        desk = RepairDesk(
            self.stores,
            self.settings,
            self.connectors,
            now_ms=lambda: self.ms,
            sleep=lambda seconds: None,
        )
        desk.open()
        return desk

    def restart(self) -> None:
        """Lose what the process held in memory."""
        self.desk = self.new_desk()
        self.verifications = Verifications(self.desk)

    def live(self, seconds: int, *, step: int = 1, look: bool = False) -> None:
        """Let requests come, and settle after each step; ``look`` verifies as often."""
        for _ in range(0, seconds, step):
            for _ in range(step):
                self.arrive()
                self.ns += S_NS
            facts = self._settle()
            self.verifications.settled(facts)
            if look:
                self.verifications.look(watermark_ms=self.ms - 4_000)

    def incident(self) -> dict[str, Any]:
        """Find the incident, and show its traces in the graph."""
        (found,) = self.find()
        return found

    def find(self) -> list[dict[str, Any]]:
        watched = watch(self.archive, self.settings, now_ms=self.ms)
        self.publisher.analysed(watched.changed, watched.facts)
        while self.publisher.publish().get("traces"):
            pass
        return [each for each in watched.incidents if each["state"] != "closed"]

    def break_down(self, *, healthy_s: int = 60, sick_s: int = 20) -> dict[str, Any]:
        """Live well for a while, then by a version that fails; return the incident."""
        self.live(healthy_s, step=20)
        self.registry.version = "3"
        self.live(sick_s, step=4)
        return self.incident()

    def close(self) -> None:
        self.graph.close()
        self.archive.close()

    def _settle(self) -> Facts:
        settled = self._settler.settle(Rejections())
        self.publisher.settled(settled.facts)
        return settled.facts

    def arrive(self) -> None:
        self._ending += [row for number in range(self.rate) for row in self._trace(number)]
        told = [row for row in self._ending if row["end_ns"] < self.ns + 2 * S_NS]
        self._ending = [row for row in self._ending if row["end_ns"] >= self.ns + 2 * S_NS]
        batch = spans_from_rows(told)
        store_spans([batch], self.archive, table=default_table(), now_ms=self.ms)

    def _trace(self, number: int) -> list[dict[str, Any]]:
        self._number += 1
        is_chat, region = self._chance.random() < 0.5, self._chance.choice(("eu", "us"))
        start_ns = self.ns + number * S_NS // self.rate
        planner = self.registry.version if self._chance.random() < self.rolled_out else "2"
        version = planner if is_chat else "1"
        rate = self.rates[version] if is_chat else BACKGROUND
        failed = self._chance.random() < rate or region in self.lost
        long_ms = 11_000 if failed and self.hangs else 200 + round(100 * self._chance.random())
        common = {
            "graphmind.task.name": "chat" if is_chat else "search",
            "cloud.region": region,
        }
        agent = "router" if is_chat else "finder"
        model = "planner" if is_chat else "finder"
        named = common | {"graphmind.model.version": f"{model}@{version}"}
        spans = (
            ("root", None, "AgentRouter", common | {"graphmind.agent.id": agent}),
            ("infer", "root", "InferenceRPC", named | {"graphmind.agent.id": f"{agent}-executor"}),
        )
        return [
            {
                "trace_id": f"{self._number:032x}",
                "span_id": name,
                "parent_span_id": parent,
                "name": module,
                "start_ns": start_ns,
                "end_ns": start_ns + long_ms * 1_000_000,
                "status": STATUS_ERROR if failed else STATUS_OK,
                "resource": {"service.name": agent},
                "attributes": attributes | {"graphmind.module": module},
            }
            for name, parent, module, attributes in spans
        ]
