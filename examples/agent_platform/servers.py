"""The servers that the platform runs on: real ones where installed, else stand-ins in Python."""

import os
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from examples.agent_platform.layout import Layout
from examples.agent_platform.lifeline import LOOK_S, orphaned
from examples.agent_platform.topology import AGENTS

PART: Final = (sys.executable, "-m", "examples.agent_platform")
"""Starts a part of the platform."""
_SBIN: Final = f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin"
"""Debian keeps haproxy where users do not look."""


def commands(layout: Layout, *, stand_ins: bool) -> tuple[dict[str, list[str]], list[str]]:
    """Return the command of each server, and lines that say which are stand-ins.

    ``stand_ins``: take no real server, even where there is one.
    """
    makers = {"redis-server": _redis, "haproxy": _haproxy, "mlflow": _mlflow}
    result, notes = {}, []
    for name, maker in makers.items():
        binary = None if stand_ins else found(name)
        if binary:
            result[name] = maker(binary, layout)
            continue
        stand_in = [*PART, "_stand_in", name, layout.folder]
        result[name] = stand_in
        why = "not wanted" if stand_ins else "not installed"
        notes.append(f"{name}: {why}, a stand-in written in Python takes its place")
    return result, notes


def found(name: str) -> str | None:
    """Return where a server is installed. MLflow may be in a virtual environment of its own."""
    if path := shutil.which(name, path=_SBIN):
        return path
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "graphmind"
    kept = sorted(cache.glob(f"{name}-*/.complete"))
    return str(kept[-1].parent / "bin" / name) if kept else None


def _redis(binary: str, layout: Layout) -> list[str]:
    options = {"--port": str(layout.redis_port), "--bind": "127.0.0.1", "--save": ""}
    return [binary, *(word for pair in options.items() for word in pair)]


def _mlflow(binary: str, layout: Layout) -> list[str]:
    folder = Path(layout.folder)
    return [
        *(binary, "server", "--host", "127.0.0.1", "--workers", "1"),
        *("--port", layout.mlflow.rpartition(":")[2]),
        *("--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}"),
        *("--artifacts-destination", str(folder / "artifacts")),
    ]


def _haproxy(binary: str, layout: Layout) -> list[str]:
    path = Path(layout.folder) / "haproxy.cfg"
    path.write_text(haproxy_config(layout))
    return [binary, "-db", "-f", str(path)]


def haproxy_config(layout: Layout) -> str:
    """Return the balancer's configuration: a server a region, both of the same weight."""
    routers = {agent.region: agent.name for agent in AGENTS if agent.kind == "router"}
    servers = "\n".join(
        f"    server {region} 127.0.0.1:{layout.agent_ports[name]} weight 100"
        for region, name in sorted(routers.items())
    )
    return f"""global
    stats socket {layout.balancer_socket} mode 600 level admin
    nbthread 1
defaults
    mode http
    timeout connect 2s
    timeout client 40s
    timeout server 40s
    retries 3
    option redispatch
frontend tasks
    bind 127.0.0.1:{layout.balancer_port}
    default_backend regions
backend regions
    balance roundrobin
{servers}
"""


def guard(parent: str, *groups: str) -> None:
    """Wait until the parent is gone, then end the process groups that it started."""
    for ignored in (signal.SIGINT,):
        signal.signal(ignored, signal.SIG_IGN)
    while not orphaned(int(parent)):
        time.sleep(LOOK_S)
    end_groups([int(group) for group in groups])


def end_groups(groups: Sequence[int], patience_s: float = 5.0) -> None:
    """End process groups: asked first, killed when they do not obey."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        for group in groups:
            try:
                os.killpg(group, how)
            except ProcessLookupError:
                continue
        until = time.monotonic() + patience_s
        while any(map(_lives, groups)) and time.monotonic() < until:
            time.sleep(0.05)


def _lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
