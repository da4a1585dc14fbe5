"""The agents as the controller knows them: starts, restarts, degrades and disables them."""

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import orjson

from examples.agent_platform.conditions import replace_file
from examples.agent_platform.layout import Layout
from examples.agent_platform.topology import AGENTS, MODELS, REGIONS, RULE_ENGINE, Agent

VERSION: Final = "1.4.0"
UP_S: Final = 10.0
"""An agent that does not answer so long after its start has failed to start (chosen)."""
END_S: Final = 3.0
"""An agent that has not ended so long after it was told to is killed (chosen)."""
LOOK_S: Final = 0.05


class Refused(Exception):  # noqa: N818 - reads as the answer it is
    """What was asked cannot be done; nothing was done. The message says what was expected."""


@dataclass(kw_only=True)
class Known:
    """What is known of one agent."""

    agent: Agent
    status: str = "restarting"
    degraded_to: str | None = None
    generation: int = 0
    pid: int = 0


class Agents:
    """All agents, over the hosts of both regions."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._known = {agent.name: Known(agent=agent) for agent in AGENTS}
        self._hosts: dict[str, asyncio.subprocess.Process] = {}
        self._ended: dict[str, asyncio.Event] = {}
        self._wanted_down: set[str] = set()
        self._readers: list[asyncio.Task[None]] = []
        self._client = httpx.AsyncClient(timeout=2, trust_env=False)

    async def start(self, parent: int) -> None:
        """Start the hosts and all agents; returns when every agent answers."""
        for region in REGIONS:
            self._hosts[region] = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "examples.agent_platform", "_host"),
                *(self._layout.folder, region, str(parent)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
            self._readers.append(asyncio.create_task(self._read(region)))
        await asyncio.gather(*(self._begin(known) for known in self._known.values()))

    async def stop(self) -> None:
        """End the hosts, and with them the agents."""
        self._wanted_down.update(self._known)
        for host in self._hosts.values():
            if host.returncode is None:
                host.terminate()
        for host in self._hosts.values():
            await host.wait()
        for reader in self._readers:
            reader.cancel()
        await self._client.aclose()

    @property
    def pids(self) -> dict[str, int]:
        """Processes of agents and hosts, by name."""
        agents = {name: known.pid for name, known in self._known.items()}
        return agents | {f"host-{region}": host.pid for region, host in self._hosts.items()}

    def meant_by(self, target: str) -> list[str]:
        """Return the agents of a target: a name, or ``class:NAME``. Raises Refused."""
        kind = target.removeprefix("class:")
        if kind != target:
            names = [name for name, known in self._known.items() if known.agent.kind == kind]
        else:
            names = [name for name in self._known if name == target]
        if not names:
            kinds = ", ".join(sorted({agent.kind for agent in AGENTS}))
            raise Refused(f"expected an agent, or class: and one of {kinds}; got {target}")
        return names

    async def document(self, name: str) -> dict[str, Any]:
        """Return what ``GET /v1/agents/{name}`` answers. Raises Refused."""
        self.meant_by(name)
        known = self._known[name]
        return {
            "name": name,
            "class": known.agent.kind,
            "region": known.agent.region,
            "version": VERSION,
            "status": known.status,
            "hot_restart": known.agent.hot_restart,
            "running": await self._running(known),
            "generation": known.generation,
            "degraded_to": known.degraded_to,
        }

    async def documents(self) -> list[dict[str, Any]]:
        """Return all agents."""
        return list(await asyncio.gather(*(self.document(name) for name in self._known)))

    async def restart(self, name: str) -> str:
        """End the agent's process and start another; whatever it had in memory is gone."""
        known = self._known[name]
        before = known.status
        known.status = "restarting"
        self._publish()
        ended = self._ended[name] = asyncio.Event()
        self._wanted_down.add(name)
        self._tell(known, {"do": "stop"})
        try:
            async with asyncio.timeout(END_S):
                await ended.wait()
        except TimeoutError:
            self._tell(known, {"do": "stop", "kill": True})
            await ended.wait()
        await self._begin(known, before if before == "disabled" else "running")
        return f"generation {known.generation}, process {known.pid}"

    def degrade(self, name: str, to: str) -> str:
        """Have the agent do its work with something else. Raises Refused."""
        if to != RULE_ENGINE and to.partition("@")[0] not in MODELS:
            said = ", ".join((RULE_ENGINE, *MODELS))
            raise Refused(f"expected `to`: one of {said}, or model@version; got {to!r}")
        self._known[name].status, self._known[name].degraded_to = "degraded", to
        self._publish()
        return f"works with {to}"

    def disable(self, name: str) -> str:
        """Give the agent no more work; what it has it finishes."""
        self._known[name].status = "disabled"
        self._publish()
        return "gets no more work"

    def enable(self, name: str) -> str:
        """Have the agent work as usual again."""
        self._known[name].status, self._known[name].degraded_to = "running", None
        self._publish()
        return "works as usual"

    async def _begin(self, known: Known, status: str = "running") -> None:
        known.generation += 1
        name = known.agent.name
        self._wanted_down.discard(name)
        self._tell(known, {"do": "start", "generation": known.generation})
        for _ in range(int(UP_S / LOOK_S)):
            if await self._running(known) is not None:
                break
            await asyncio.sleep(LOOK_S)
        else:
            raise Refused(f"{name} was started and did not answer within {UP_S} s")
        known.status = status
        if status == "running":
            known.degraded_to = None
        self._publish()

    async def _running(self, known: Known) -> int | None:
        """Return how many tasks it has in work; None while it does not answer."""
        port = self._layout.agent_ports[known.agent.name]
        try:
            reply = await self._client.get(f"http://127.0.0.1:{port}/healthz")
        except httpx.TransportError:
            return None
        return int(reply.json()["running"])

    def _tell(self, known: Known, command: Mapping[str, Any]) -> None:
        host = self._hosts[known.agent.region]
        assert host.stdin, "hosts are started with a pipe"
        host.stdin.write(orjson.dumps({**command, "agent": known.agent.name}) + b"\n")

    async def _read(self, region: str) -> None:
        """Take what a host says; an agent that ends unasked is started again."""
        host = self._hosts[region]
        assert host.stdout, "hosts are started with a pipe"
        while line := await host.stdout.readline():
            event = orjson.loads(line)
            known = self._known[event["agent"]]
            if event["event"] == "started":
                known.pid = event["pid"]
                continue
            if known.agent.name in self._ended:
                self._ended.pop(known.agent.name).set()
            if known.agent.name not in self._wanted_down:
                self._readers.append(asyncio.create_task(self._begin(known)))

    def _publish(self) -> None:
        """Write what routers and agents go by."""
        listed = {
            name: {"status": known.status, "degraded_to": known.degraded_to}
            for name, known in self._known.items()
        }
        replace_file(Path(self._layout.folder) / "directory.json", listed)
