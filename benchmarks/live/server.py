"""A ``graphmind serve`` of its own for a benchmark or a test: free ports, a folder, its log."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import psutil

from graphmind.demo.processes import free_ports, without_settings

READY_S = 60


class Server:
    """Starts, stops and kills the process; the folder outlives it."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.folder = folder
        self.api_port, self.http_port, self.grpc_port = free_ports(3)
        own = {
            "GRAPHMIND_DATA_DIR": folder / "stores",
            "GRAPHMIND_OTLP_HTTP_PORT": self.http_port,
            "GRAPHMIND_OTLP_GRPC_PORT": self.grpc_port,
            **{f"GRAPHMIND_{name.upper()}": value for name, value in settings.items()},
        }
        self._environment = {**without_settings(os.environ), **{k: str(v) for k, v in own.items()}}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def api(self) -> str:
        """Where the API answers."""
        return f"http://127.0.0.1:{self.api_port}"

    @property
    def otlp(self) -> str:
        """Where OTLP over HTTP is taken."""
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def log(self) -> str:
        """What it wrote to standard error."""
        return (self.folder / "log").read_text("utf-8", "replace")

    def start(self, *, ready_s: float = READY_S) -> None:
        """Start, and return once every check is well; raises RuntimeError if none is by then."""
        command = [sys.executable, "-m", "graphmind", "serve", "--port", str(self.api_port)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        until = time.monotonic() + ready_s
        while time.monotonic() < until:
            if self._process.poll() is not None:
                raise RuntimeError(f"the server ended: {self.log[-2000:]}")
            try:
                if httpx.get(f"{self.api}/readyz", timeout=10).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
        raise RuntimeError(f"the server is not ready after {ready_s} s: {self.log[-2000:]}")

    def kill(self) -> None:
        """End it as a crash would."""
        assert self._process
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """Ask it to end; return its exit status."""
        assert self._process
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(timeout=120)

    def memory_mb(self) -> float:
        """Return what it holds in memory."""
        assert self._process
        return psutil.Process(self._process.pid).memory_info().rss / 2**20

    def cpu_s(self) -> float:
        """Return the processor time that it took so far."""
        assert self._process
        times = psutil.Process(self._process.pid).cpu_times()
        return times.user + times.system

    def incidents(self) -> list[dict[str, Any]]:
        """Return the incidents that the API lists."""
        answer = httpx.get(f"{self.api}/api/v1/incidents", headers=self.login, timeout=60)
        items: list[dict[str, Any]] = answer.raise_for_status().json()["items"]
        return items

    @property
    def login(self) -> dict[str, str]:
        """Headers that the API asks for: the token that the server left in its folder."""
        token = (self.folder / "stores" / "token").read_text("utf-8").strip()
        return {"authorization": f"Bearer {token}"}

    def metric(self, name: str) -> float:
        """Return the value of the first sample of a metric."""
        for line in httpx.get(f"{self.api}/metrics", timeout=60).text.splitlines():
            if line.startswith((f"{name} ", f"{name}{{")):
                return float(line.rsplit(" ", 1)[1])
        return 0.0
