"""Real servers for the tests marked ``neo4j``; started once a session, stopped at its end."""

import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from _pytest.terminal import TerminalReporter

SCRIPT = Path(__file__).parent / "neo4j.sh"
CANNOT_BE_HAD = 3
"""Exit status of the script where java, mvn or the download is missing."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """Where a Neo4j listens and who may enter."""

    uri: str
    user: str
    password: str
    database: str


@pytest.fixture(scope="session")
def neo4j_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    instance = tmp_path_factory.mktemp("neo4j")
    bolt, http = free_ports(2)
    password = "graphmind-live"
    start = [str(SCRIPT), "start", str(instance), str(bolt), str(http), password]
    started = subprocess.run(start, check=False, stderr=subprocess.PIPE, text=True)
    if started.returncode == CANNOT_BE_HAD:
        pytest.skip(f"no Neo4j: {started.stderr.strip().splitlines()[-1]}")
    try:
        assert started.returncode == 0, started.stderr
        uri = f"bolt://127.0.0.1:{bolt}"
        yield Server(uri=uri, user="neo4j", password=password, database="neo4j")
    finally:
        subprocess.run([str(SCRIPT), "stop", str(instance)], check=True)


def free_ports(count: int) -> list[int]:
    """Return ports that were free a moment ago, all different."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Say of each live module what ran and what did not, and why not."""
    ran: dict[str, int] = {}
    skipped: dict[str, set[str]] = {}
    for outcome in ("passed", "failed", "skipped", "error"):
        for report in terminalreporter.stats.get(outcome, []):
            if not report.nodeid.startswith("tests/live/"):
                continue
            module = Path(report.nodeid.partition("::")[0]).stem.removeprefix("test_")
            ran.setdefault(module, 0)
            if outcome == "skipped":
                reason = str(report.longrepr[2] if report.longrepr else "").removeprefix(
                    "Skipped: "
                )
                skipped.setdefault(module, set()).add(reason)
            else:
                ran[module] += 1
    if ran:
        terminalreporter.section("real servers and runtimes")
    for module, count in sorted(ran.items()):
        reasons = "; ".join(sorted(skipped.get(module, ())))
        terminalreporter.write_line(
            f"{module}: {count} ran" + (f", not run: {reasons}" if reasons else "")
        )
