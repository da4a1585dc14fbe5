"""Real servers that route to regions, started as those of ``servers.py``."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.live.conftest import free_ports
from tests.live.servers import HERE, answers, listens, output_of, running

MOTO = "5.2.5"
PDNS_SCHEMA = Path("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql")
API_KEY = "pdns-live-key"
ZONE, NAME = "example.org.", "api.example.org."
EU, EU2, US = "127.0.1.1", "127.0.1.2", "127.0.2.1"


@dataclass(frozen=True, kw_only=True)
class HaproxyServer:
    """Where a HAProxy takes requests, and its admin socket."""

    url: str
    unix: str
    tcp: str


@contextmanager
def haproxy(folder: Path, backends: dict[str, dict[str, str]]) -> Iterator[HaproxyServer]:
    """A HAProxy with servers by backend: name = ``host:port``; the first backend is asked."""
    if shutil.which("haproxy") is None:
        pytest.skip("haproxy is not installed")
    front, admin = free_ports(2)
    path = folder / "a.sock"
    lines = [
        "global",
        f"  stats socket {path} level admin",
        f"  stats socket ipv4@127.0.0.1:{admin} level admin",
        "defaults",
        "  mode http",
        "  timeout connect 1s",
        "  timeout client 5s",
        "  timeout server 5s",
        "frontend front",
        f"  bind 127.0.0.1:{front}",
        f"  default_backend {next(iter(backends))}",
    ]
    for backend, servers in backends.items():
        lines.append(f"backend {backend}")
        lines += [f"  server {name} {at} weight 100" for name, at in servers.items()]
    (folder / "haproxy.cfg").write_text("\n".join([*lines, ""]))
    command = ["haproxy", "-db", "-f", str(folder / "haproxy.cfg")]
    with running(command, folder / "haproxy.log", lambda: listens(admin)):
        yield HaproxyServer(
            url=f"http://127.0.0.1:{front}", unix=f"unix:{path}", tcp=f"tcp:127.0.0.1:{admin}"
        )


@dataclass(frozen=True, kw_only=True)
class PowerdnsServer:
    """Where a PowerDNS is configured, and where it answers questions."""

    url: str
    dns_port: int

    def set(self, kind: str, *contents: str) -> None:
        """Write the records of ``NAME`` by hand."""
        records = [{"content": content, "disabled": False} for content in contents]
        changed = {"name": NAME, "type": kind, "ttl": 1, "changetype": "REPLACE"}
        others = [
            {"name": NAME, "type": other, "changetype": "DELETE"}
            for other in ("LUA", "A")
            if other != kind
        ]
        rrsets = [*others, changed | {"records": records}]
        httpx.patch(
            f"{self.url}/api/v1/servers/localhost/zones/{ZONE}",
            json={"rrsets": rrsets},
            headers={"x-api-key": API_KEY},
        ).raise_for_status()


@contextmanager
def powerdns(folder: Path) -> Iterator[PowerdnsServer]:
    """A PowerDNS with one zone in an SQLite file."""
    if shutil.which("pdns_server") is None or not PDNS_SCHEMA.is_file():
        pytest.skip("pdns-server and pdns-backend-sqlite3 are not installed")
    dns, web = free_ports(2)
    database = sqlite3.connect(folder / "zones.db")
    database.executescript(PDNS_SCHEMA.read_text())
    database.close()
    options = {
        "config-dir": folder,
        "socket-dir": folder,
        "daemon": "no",
        "guardian": "no",
        "write-pid": "no",
        "security-poll-suffix": "",
        "launch": "gsqlite3",
        "gsqlite3-database": folder / "zones.db",
        "local-address": "127.0.0.1",
        "local-port": dns,
        "api": "yes",
        "api-key": API_KEY,
        "webserver": "yes",
        "webserver-address": "127.0.0.1",
        "webserver-port": web,
        "enable-lua-records": "yes",
        "cache-ttl": 0,
        "query-cache-ttl": 0,
    }
    command = ["pdns_server", *(f"--{name}={value}" for name, value in options.items())]
    url = f"http://127.0.0.1:{web}"
    with running(command, folder / "pdns.log", lambda: listens(web)):
        httpx.post(
            f"{url}/api/v1/servers/localhost/zones",
            json={"name": ZONE, "kind": "Native", "nameservers": [f"ns1.{ZONE}"]},
            headers={"x-api-key": API_KEY},
        ).raise_for_status()
        yield PowerdnsServer(url=url, dns_port=dns)


@contextmanager
def route53(folder: Path) -> Iterator[str]:
    """An emulated Route 53 (moto); gives its address. Installed the first time."""
    environment = Path(output_of(HERE / "pip_server.sh", "install", "moto[server]", MOTO).strip())
    (port,) = free_ports(1)
    command = [str(environment / "bin" / "moto_server"), "-H", "127.0.0.1", "-p", str(port)]
    url = f"http://127.0.0.1:{port}"
    with running(command, folder / "moto.log", lambda: answers(f"{url}/moto-api/")):
        yield url


@contextmanager
def cluster(folder: Path) -> Iterator[str]:
    """An emulated Kubernetes with nodes, rollouts, versions and dry runs; gives its address."""
    environment = Path(output_of(HERE / "pip_server.sh", "install", "kmock", "0.8").strip())
    (port,) = free_ports(1)
    command = [str(environment / "bin" / "python"), str(HERE / "emulate_cluster.py"), str(port)]
    with running(command, folder / "kmock.log", lambda: listens(port)):
        yield f"http://127.0.0.1:{port}"
