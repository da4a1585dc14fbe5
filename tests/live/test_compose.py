"""The processes of docker-compose.yml, started with its settings and without containers.

A real Neo4j, ``graphmind serve``, the script that makes Grafana's key, and a Prometheus with the
configuration that is mounted there; only addresses and folders are others.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from tests.deploy.composed import ROOT, compose, first_start
from tests.live.conftest import free_ports
from tests.live.servers import answers, running

pytestmark = [pytest.mark.live, pytest.mark.neo4j, pytest.mark.slow]

NEO4J = ROOT / "tests" / "live" / "neo4j.sh"
CANNOT_BE_HAD = 3
WAIT_S = 120


@dataclass(frozen=True, kw_only=True)
class Composed:
    """Where the processes answer, and what they were given."""

    api: str
    otlp: str
    otlp_token: str
    prometheus: str
    key: str


@pytest.fixture(scope="module")
def composed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Composed]:
    if shutil.which("prometheus") is None:
        pytest.skip("prometheus is not installed: apt install prometheus")
    folder = tmp_path_factory.mktemp("composed")
    services = compose(first_start(folder))["services"]
    bolt, http, api, otlp_http, otlp_grpc, metrics = free_ports(6)
    password = services["neo4j"]["environment"]["NEO4J_AUTH"].partition("/")[2]
    _start_neo4j(folder / "neo4j", bolt, http, password)
    environment = _environment(services["graphmind"]["environment"], folder / "data", bolt)
    environment |= {
        "GRAPHMIND_OTLP_HTTP_PORT": str(otlp_http),
        "GRAPHMIND_OTLP_GRPC_PORT": str(otlp_grpc),
    }
    try:
        key = _make_key(services["key"], folder / "grafana", environment)
        url = f"http://127.0.0.1:{api}"
        command = _command(services["graphmind"], api)
        with (
            running(
                ["env", "-i", *(f"{n}={v}" for n, v in environment.items()), *command],
                folder / "graphmind.log",
                lambda: answers(f"{url}/readyz"),
            ),
            _prometheus(folder, services["prometheus"], api=api, port=metrics) as prometheus,
        ):
            yield Composed(
                api=url,
                otlp=f"http://127.0.0.1:{otlp_http}",
                otlp_token=environment["GRAPHMIND_OTLP_TOKEN"],
                prometheus=prometheus,
                key=key,
            )
    finally:
        subprocess.run([NEO4J, "stop", folder / "neo4j"], check=True)


def _start_neo4j(folder: Path, bolt: int, http: int, password: str) -> None:
    folder.mkdir()
    start = [str(NEO4J), "start", str(folder), str(bolt), str(http), password]
    started = subprocess.run(start, check=False, stderr=subprocess.PIPE, text=True)
    if started.returncode == CANNOT_BE_HAD:
        pytest.skip(f"no Neo4j: {started.stderr.strip().splitlines()[-1]}")
    assert started.returncode == 0, started.stderr


def _environment(given: dict[str, str], data: Path, bolt: int) -> dict[str, str]:
    """Return the environment of the compose file with the addresses and folders of here."""
    data.mkdir()
    assert given["GRAPHMIND_NEO4J_URI"] == "bolt://neo4j:7687"
    here = {
        "GRAPHMIND_DATA_DIR": str(data),
        "GRAPHMIND_NEO4J_URI": f"bolt://127.0.0.1:{bolt}",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(data),
    }
    return {**given, **here}


def _make_key(service: dict[str, Any], file: Path, environment: dict[str, str]) -> str:
    script, _ = service["entrypoint"]
    for _ in range(2):  # The second time it is there already.
        subprocess.run([ROOT / "deploy" / script, file], check=True, env=environment)
    return file.read_text("utf-8")


def _command(service: dict[str, Any], port: int) -> list[str]:
    name, *arguments = service["command"]
    assert arguments == ["--host", "0.0.0.0"]
    return [sys.executable, "-m", "graphmind", name, "--port", str(port)]


def _prometheus(folder: Path, service: dict[str, Any], *, api: int, port: int) -> Any:
    """Start Prometheus with the mounted configuration; ``graphmind:8460`` is here."""
    mounted = folder / "etc"
    shutil.copytree(ROOT / "deploy" / "prometheus", mounted)
    config = mounted / "prometheus.yml"
    text = config.read_text("utf-8")
    assert "graphmind:8460" in text
    text = text.replace("graphmind:8460", f"127.0.0.1:{api}").replace("15s", "1s")
    config.write_text(text, "utf-8")
    wanted = [
        each.replace("/etc/prometheus", str(mounted)).replace("=/prometheus", f"={folder}/tsdb")
        for each in service["command"]
    ]
    url = f"http://127.0.0.1:{port}"
    command = ["prometheus", *wanted, f"--web.listen-address=127.0.0.1:{port}"]
    return _running_at(command, folder / "prometheus.log", url)


@contextmanager
def _running_at(command: list[str], log: Path, url: str) -> Iterator[str]:
    with running(command, log, lambda: answers(f"{url}/-/ready")):
        yield url


def until(true: Any) -> Any:
    deadline = time.monotonic() + WAIT_S
    while not (found := true()):
        assert time.monotonic() < deadline
        time.sleep(0.5)
    return found


def asked(composed: Composed, path: str) -> Any:
    answer = httpx.get(f"{composed.prometheus}/api/v1/{path}", timeout=30)
    return answer.raise_for_status().json()["data"]


def test_every_check_is_well_by_the_command_of_the_health_check(composed: Composed):
    command = [sys.executable, str(ROOT / "deploy" / "is_ready.py"), f"{composed.api}/readyz"]

    assert subprocess.run(command, check=False).returncode == 0


def test_prometheus_scrapes_graphmind_and_has_its_rules(composed: Composed):
    def is_up() -> bool:
        found = asked(composed, "query?query=up")["result"]
        return bool(found) and found[0]["value"][1] == "1"

    until(is_up)
    (groups,) = asked(composed, "rules").values()
    rules = [rule for group in groups for rule in group["rules"]]
    assert len(rules) == 12
    until(lambda: asked(composed, "query?query=graphmind_open_incidents")["result"])


def test_the_key_that_grafana_is_given_reads_panels_and_changes_nothing(composed: Composed):
    panel = f"{composed.api}/api/v1/grafana/pace"
    held = {"Authorization": f"Bearer {composed.key}"}

    assert httpx.get(panel, timeout=30).status_code == 401
    assert httpx.get(panel, headers=held, timeout=30).status_code == 200
    by_name = httpx.get(panel, headers={**held, "Host": "graphmind:8460"}, timeout=30)
    assert by_name.status_code == 200
    stop = f"{composed.api}/api/v1/repairs/stop"
    assert httpx.post(stop, headers=held, json={"on": True}, timeout=30).status_code == 403


def test_a_span_that_is_sent_is_in_the_panels_and_in_neo4j(composed: Composed):
    exporter = OTLPSpanExporter(
        endpoint=f"{composed.otlp}/v1/traces",
        headers={"Authorization": f"Bearer {composed.otlp_token}"},
    )
    provider = TracerProvider(resource=Resource({"service.name": "shop"}))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with provider.get_tracer("t").start_as_current_span("AgentRouter") as span:
        span.set_attribute("graphmind.agent.id", "router")
    provider.shutdown()
    held = {"Authorization": f"Bearer {composed.key}"}

    def arrived() -> Any:
        url = f"{composed.api}/api/v1/grafana/groups?kind=agent"
        return httpx.get(url, headers=held, timeout=30).json()

    assert [row["name"] for row in until(arrived)] == ["router"]
    text = json.dumps({"query": "MATCH (a:Agent) RETURN count(a) AS agents", "parameters": {}})
    until(
        lambda: (
            httpx.post(
                f"{composed.api}/api/v1/cypher",
                headers={**held, "Content-Type": "application/json"},
                content=text,
                timeout=30,
            ).json()["rows"]
            not in ([], [[0]], [{"agents": 0}])
        )
    )
