"""The host of a region: starts and ends its agents, each a process of its own.

It has loaded all they need and forks, so an agent is up within milliseconds. It holds the sockets
they listen on: what comes in while an agent restarts waits in the queue instead of being refused.
Commands come as JSON lines on standard input, events go out as JSON lines.
"""

import gc
import os
import select
import signal
import socket
import sys
import traceback
from pathlib import Path
from typing import Any, Final

import orjson

from examples.agent_platform.agents.executing import Executor
from examples.agent_platform.agents.keeping import Keeper
from examples.agent_platform.agents.preparing import Embedder, Intake
from examples.agent_platform.agents.router import Router
from examples.agent_platform.agents.sending import Sender
from examples.agent_platform.agents.worker import Worker, serve_worker, set_up_telemetry
from examples.agent_platform.layout import Layout
from examples.agent_platform.lifeline import orphaned
from examples.agent_platform.topology import AGENTS, Agent

WORKERS: Final[dict[str, type[Worker]]] = {
    "router": Router,
    "intake": Intake,
    "embedder": Embedder,
    "analyst": Executor,
    "writer": Executor,
    "reviewer": Executor,
    "keeper": Keeper,
    "sender": Sender,
}
LOOK_S: Final = 0.05
"""Pause between two looks at ended agents (chosen)."""
GRACE_S: Final = 3.0
"""An agent that has not ended after so long is killed (chosen)."""


class Host:
    """The agents of one region."""

    def __init__(self, layout: Layout, region: str, parent: int) -> None:
        self._layout, self._parent = layout, parent
        self._agents = {agent.name: agent for agent in AGENTS if agent.region == region}
        self._sockets = {name: _bound(layout.agent_ports[name]) for name in self._agents}
        self._pids: dict[int, str] = {}
        self._ending = False

    def serve(self) -> None:
        """Work until told to end, or the controller is gone."""
        signal.signal(signal.SIGTERM, self._end)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        gc.freeze()
        pending = b""
        while not self._ending and not orphaned(self._parent):
            ready, _, _ = select.select([0], [], [], LOOK_S)
            if ready:
                read = os.read(0, 65_536)
                if not read:
                    break
                *lines, pending = (pending + read).split(b"\n")
                for line in lines:
                    self._obey(orjson.loads(line))
            self._reap()
        self._stop_all()

    def _end(self, *_: object) -> None:
        self._ending = True

    def _obey(self, command: dict[str, Any]) -> None:
        name = command["agent"]
        if command["do"] == "start":
            self._start(self._agents[name], command["generation"])
            return
        how = signal.SIGKILL if command.get("kill") else signal.SIGTERM
        for pid, running in self._pids.items():
            if running == name:
                os.kill(pid, how)

    def _start(self, agent: Agent, generation: int) -> None:
        pid = os.fork()
        if pid == 0:
            self._become(agent, generation)
        self._pids[pid] = agent.name
        _say({"event": "started", "agent": agent.name, "pid": pid, "generation": generation})

    def _become(self, agent: Agent, generation: int) -> None:
        """Be the agent; does not return."""
        status = 1
        try:
            os.setpgid(0, 0)
            signal.signal(signal.SIGTERM, lambda *_: os._exit(0))  # until it serves
            null = os.open(os.devnull, os.O_RDWR)
            os.dup2(null, 0)
            os.dup2(null, 1)
            for name, other in self._sockets.items():
                if name != agent.name:
                    other.close()
            capture = set_up_telemetry(self._layout, agent)
            worker = WORKERS[agent.kind](self._layout, agent, generation)
            serve_worker(worker, self._sockets[agent.name], os.getppid())
            if capture:
                capture.shutdown(1.0)
            status = 0
        except BaseException:  # noqa: BLE001 - the edge of the process: it must not go on as its host
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)

    def _reap(self) -> None:
        while self._pids:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            name = self._pids.pop(pid)
            _say({"event": "ended", "agent": name, "pid": pid, "status": status})

    def _stop_all(self) -> None:
        for pid in self._pids:
            os.kill(pid, signal.SIGTERM)
        waited = 0.0
        while self._pids and waited < GRACE_S:
            select.select([], [], [], LOOK_S)
            waited += LOOK_S
            for pid in list(self._pids):
                if os.waitpid(pid, os.WNOHANG)[0]:
                    del self._pids[pid]
        for pid in self._pids:
            os.kill(pid, signal.SIGKILL)


def _bound(port: int) -> socket.socket:
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(("127.0.0.1", port))
    bound.listen(512)
    return bound


def _say(event: dict[str, Any]) -> None:
    try:
        os.write(1, orjson.dumps(event) + b"\n")
    except BrokenPipeError:  # the controller is gone; the loop sees it next
        return


def main(folder: str, region: str, parent: str) -> None:
    """Serve a region of the platform in a folder."""
    Host(Layout.load(Path(folder)), region, int(parent)).serve()
