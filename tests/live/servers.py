"""Real servers, one function each: started on free ports in a folder, stopped at the end.

Where a server cannot be had the test that asks for it is skipped with the reason.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.live.conftest import CANNOT_BE_HAD, free_ports

HERE = Path(__file__).parent
MLFLOW, KMOCK = "3.17.2", "0.8"
"""Versions that are installed."""
START_S, STOP_S = 180.0, 10.0
"""How long a server may take to start, and to stop before it is killed (chosen)."""


@dataclass(frozen=True, kw_only=True)
class JaegerServer:
    """Where a Jaeger takes OTLP over HTTP, and where it is asked."""

    otlp_url: str
    query_url: str


@contextmanager
def jaeger(folder: Path) -> Iterator[JaegerServer]:
    """A Jaeger that keeps traces in memory; built when there is none yet (minutes)."""
    script, ports = HERE / "jaeger.sh", free_ports(5)
    output_of(script, "start", folder, *ports)
    try:
        yield JaegerServer(
            query_url=f"http://127.0.0.1:{ports[0]}", otlp_url=f"http://127.0.0.1:{ports[1]}"
        )
    finally:
        subprocess.run([script, "stop", folder], check=True)


@contextmanager
def loki(folder: Path) -> Iterator[str]:
    """A Loki with tenants that gives 50 lines at once; built when there is none yet (minutes)."""
    script, ports = HERE / "loki.sh", free_ports(2)
    output_of(script, "start", folder, *ports)
    try:
        yield f"http://127.0.0.1:{ports[0]}"
    finally:
        subprocess.run([script, "stop", folder], check=True)


@contextmanager
def chdb_on_path() -> Iterator[None]:
    """ClickHouse's engine, importable as ``chdb``; it stays loaded, one to a process."""
    folder = output_of(HERE / "chdb.sh", "install").strip()
    sys.path.append(folder)
    try:
        yield
    finally:
        sys.path.remove(folder)


def output_of(script: Path, *arguments: object) -> str:
    """Run a script of this folder; skips the test where it says that it cannot be had."""
    command = [str(script), *map(str, arguments)]
    environment = {**os.environ, "PYTHON": sys.executable}
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    if done.returncode == CANNOT_BE_HAD:
        pytest.skip(f"{script.name}: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def running(command: list[str], log: Path, is_up: Callable[[], bool]) -> Iterator[None]:
    """A process with its children, from when it is up until the end; skips where it is absent."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, cwd=log.parent, start_new_session=True
        )
    try:
        _wait_for(is_up, process, log)
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait_for(is_up: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while not is_up():
        assert process.poll() is None, log.read_text(errors="replace")[-2000:]
        assert time.monotonic() < deadline, f"not up: {log.read_text(errors='replace')[-2000:]}"
        time.sleep(0.1)


def answers(url: str) -> bool:
    """Whether something answers a GET of an address well."""
    try:
        return httpx.get(url, timeout=2.0).is_success
    except httpx.HTTPError:
        return False


def listens(port: int) -> bool:
    """Whether something takes connections on a port of this machine."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def redis(folder: Path, *options: str) -> Iterator[int]:
    """A Redis in memory; gives its port."""
    (port,) = free_ports(1)
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", *options]
    with running(command, folder / "redis.log", lambda: listens(port)):
        yield port


@contextmanager
def alertmanager(folder: Path, webhook_url: str) -> Iterator[str]:
    """An Alertmanager that tells a webhook at once; gives its address."""
    (port,) = free_ports(1)
    config = {
        "route": {
            "receiver": "hook",
            "group_by": ["..."],
            "group_wait": "0s",
            "group_interval": "1s",
            "repeat_interval": "1h",
        },
        "receivers": [{"name": "hook", "webhook_configs": [{"url": webhook_url}]}],
    }
    (folder / "alertmanager.json").write_text(json.dumps(config))
    command = [
        "prometheus-alertmanager",
        f"--config.file={folder / 'alertmanager.json'}",  # JSON is YAML
        f"--storage.path={folder / 'alertmanager'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    url = f"http://127.0.0.1:{port}"
    with running(command, folder / "alertmanager.log", lambda: answers(f"{url}/-/ready")):
        yield url


@contextmanager
def mlflow(folder: Path) -> Iterator[str]:
    """An MLflow with its registry in a file; gives its address. Installed the first time."""
    environment = Path(output_of(HERE / "pip_server.sh", "install", "mlflow", MLFLOW).strip())
    (port,) = free_ports(1)
    command = [str(environment / "bin" / "mlflow"), "server", "--host", "127.0.0.1"]
    command += ["--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}"]
    command += ["--artifacts-destination", str(folder / "artifacts")]
    url = f"http://127.0.0.1:{port}"
    with running(command, folder / "mlflow.log", lambda: answers(f"{url}/health")):
        yield url


@contextmanager
def kubernetes(folder: Path) -> Iterator[str]:
    """An emulated Kubernetes API that keeps objects; gives its address."""
    environment = Path(output_of(HERE / "pip_server.sh", "install", "kmock", KMOCK).strip())
    (port,) = free_ports(1)
    command = [str(environment / "bin" / "python"), str(HERE / "emulate_kubernetes.py"), str(port)]
    with running(command, folder / "kmock.log", lambda: listens(port)):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def prometheus(folder: Path, scraped: str) -> Iterator[str]:
    """A Prometheus that scrapes ``host:port`` each second, exemplars too; gives its address."""
    (port,) = free_ports(1)
    targets = [{"targets": [scraped]}]
    scrape = {"job_name": "agents", "scrape_interval": "1s", "static_configs": targets}
    (folder / "prometheus.json").write_text(json.dumps({"scrape_configs": [scrape]}))
    command = [
        "prometheus",
        f"--config.file={folder / 'prometheus.json'}",  # JSON is YAML
        f"--storage.tsdb.path={folder / 'prometheus'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--enable-feature=exemplar-storage",
    ]
    url = f"http://127.0.0.1:{port}"
    with running(command, folder / "prometheus.log", lambda: answers(f"{url}/-/ready")):
        yield url
