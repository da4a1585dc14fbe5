"""The stage: the reference platform and a server over one folder, as real processes."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import orjson

import graphmind
from graphmind.access.running_server import find_server
from graphmind.demo.processes import Child, DemoError, free_ports, without_settings
from graphmind.settings import PREFIX, Settings
from graphmind.wiring import open_desk, open_stores

UP_S: Final = 240.0
"""The platform may take so long to come up: MLflow on a busy machine (chosen)."""
READY_S: Final = 240.0
"""The server too: both start at once, with customers already at work (chosen)."""
CALL_S: Final = 60.0
APPROVERS: Final = ("ann", "bob")
"""Who approves the strategies beforehand, and plans that wait for people: two, as model and region
level ask for."""
CHANGED: Final = frozenset({409, 412})
"""Answers that say that the repair is no more as it was read."""
Json = dict[str, Any]
Tell = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Props:
    """What the stage is set with."""

    folder: Path
    seed: int
    rate: float
    """Tasks a second."""
    stand_ins: bool = False
    """Use no real server, even where one is installed."""


class Stage:
    """A platform and a server that watches and repairs it."""

    def __init__(self, server: Child, platform: Child, api: str, at: Mapping[str, Any]) -> None:
        """``at`` is the platform's document of addresses."""
        self._children = (platform, server)
        self._at = at
        self._api = httpx.Client(base_url=api, timeout=CALL_S, trust_env=False)
        self._control = httpx.Client(base_url=at["control"], timeout=CALL_S, trust_env=False)
        self._hooks = httpx.Client(base_url=at["webhook"], timeout=CALL_S, trust_env=False)
        self._people: dict[str, dict[str, str]] = {}
        self.api = api

    def sign_in(self, data_dir: Path) -> None:
        """Show the token of the data folder, where the server asks for one; let two people in."""
        if found := find_server(data_dir):
            self._api.headers.update(_showing(found[1]))
        for name in APPROVERS:
            key = {"name": name, "role": "approver", "expires_days": 1}
            reply = self._api.post("/api/v1/keys", json=key)
            reply.raise_for_status()
            self._people[name] = _showing(reply.json()["token"])

    def approve_and_run(self, repair: Mapping[str, Any]) -> bool:
        """Let the people approve a plan, and one of them run it; False where it has changed."""
        path, state = f"/api/v1/repairs/{repair['repair_id']}", str(repair["state"])
        body = {"plan_hash": repair["plan_hash"], "reason": "read, and right"}
        etag = f'"{repair["version"]}"'
        for headers in self._people.values():
            if state == "approved":
                break
            asked = headers | {"if-match": etag}
            reply = self._api.post(f"{path}/approve", json=body, headers=asked)
            if reply.status_code in CHANGED:
                return False
            reply.raise_for_status()
            state, etag = reply.json()["state"], reply.headers["etag"]
        asked = self._people[APPROVERS[0]] | {"if-match": etag}
        return self._api.post(f"{path}/run", headers=asked).is_success

    def must_live(self) -> None:
        """Raise DemoError where a part has ended."""
        for child in self._children:
            child.must_live()

    def incidents(self) -> list[Json]:
        """Return the incidents that the server lists."""
        return list(self._get("/api/v1/incidents")["items"])

    def repairs(self) -> list[Json]:
        """Return every repair in full, oldest first."""
        listed = self._get("/api/v1/repairs")["items"]
        return [self._get(f"/api/v1/repairs/{each['repair_id']}") for each in reversed(listed)]

    def refusals(self) -> list[Json]:
        """Return why incidents have no automatic repair, as the audit trail says it."""
        found: list[Json] = []
        page = self._get("/api/v1/audit")
        while True:
            found += [each["body"] for each in page["items"] if each["what"] == "no_repair"]
            if not page["next_cursor"]:
                return found
            page = self._get("/api/v1/audit", cursor=page["next_cursor"])

    def trail_is_whole(self) -> bool:
        """Whether the chain of the audit trail is unbroken."""
        return bool(self._get("/api/v1/audit/verify")["whole"])

    def inject(self, fault: str) -> Json:
        """Bring a fault about; return ``{since_ms, truth}``."""
        reply = self._control.post(f"/inject/{fault}")
        reply.raise_for_status()
        return dict(reply.json()["faults"][fault])

    def clear(self, fault: str) -> None:
        """Put the world right."""
        self._control.post(f"/clear/{fault}").raise_for_status()

    def figures(self, from_ms: float, until_ms: float) -> Json:
        """Return P95, failure and callback rate of the tasks that customers sent in a time."""
        asked = {"from": from_ms / 1000, "to": until_ms / 1000}
        reply = self._hooks.get("/figures", params=asked)
        reply.raise_for_status()
        return dict(reply.json())

    def close(self) -> None:
        """Close the connections; the processes are not ended."""
        for client in (self._api, self._control, self._hooks):
            client.close()

    def _get(self, path: str, **params: Any) -> Json:
        try:
            reply = self._api.get(path, params=params)
            reply.raise_for_status()
        except httpx.HTTPError as error:
            self.must_live()
            raise DemoError(f"graphmind serve does not answer {path}: {error}") from error
        return dict(reply.json())


def _showing(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


@contextmanager
def set_up(props: Props, tell: Tell) -> Iterator[Stage]:
    """Start platform and server, and end both afterwards. Raises DemoError."""
    root = checkout()
    otlp_port, grpc_port, api_port = free_ports(3)
    data_dir, plays_in = props.folder / "stores", props.folder / "platform"
    data_dir.mkdir(parents=True, exist_ok=True)
    settings = Settings(data_dir=data_dir)
    with ExitStack() as held:
        tell("starting the platform: 17 agents in two regions, their servers, customers")
        platform = _platform(props, root, plays_in, otlp_port)
        held.callback(platform.end)
        tell(_approved(settings))
        at = _up(platform, plays_in, tell)
        server = _server(data_dir, plays_in, (otlp_port, grpc_port, api_port))
        held.callback(server.end)
        stage = Stage(server, platform, f"http://127.0.0.1:{api_port}", at)
        held.callback(stage.close)
        _ready(server, stage.api)
        stage.sign_in(data_dir)
        yield stage


def checkout() -> Path:
    """Return the folder that holds the platform's code. Raises DemoError for an installed wheel."""
    root = Path(graphmind.__file__).parents[1]
    if not (root / "examples" / "agent_platform").is_dir():
        raise DemoError(
            f"The live demonstration runs the platform in examples/agent_platform, and {root} has "
            "none: it is no part of the installed package. Run it from a checkout of the project; "
            "`graphmind demo` without --live needs nothing else."
        )
    return root


def must_know(fault: str) -> None:
    """Raise DemoError where the platform has no fault of that name."""
    # Options are checked in order: a name that is none is refused before help is printed.
    command = [sys.executable, "-m", "examples.agent_platform", "start", "--fault", fault, "-h"]
    asked = subprocess.run(  # noqa: S603 - our own program, no shell
        command, cwd=checkout(), capture_output=True, text=True, check=False
    )
    if asked.returncode:
        raise DemoError(asked.stderr.strip().rpartition("\n")[2])


def _platform(props: Props, root: Path, folder: Path, otlp_port: int) -> Child:
    command = [sys.executable, "-m", "examples.agent_platform", "start"]
    command += ["--otlp", f"http://127.0.0.1:{otlp_port}", "--folder", str(folder)]
    command += ["--rate", f"{props.rate:g}", "--seed", str(props.seed)]
    command += ["--stand-ins"] if props.stand_ins else []
    return Child(
        "launcher", command, folder=props.folder, cwd=root, environment=without_settings(os.environ)
    )


def _server(data_dir: Path, platform: Path, ports: tuple[int, int, int]) -> Child:
    otlp_port, grpc_port, api_port = ports
    own = {
        "DATA_DIR": data_dir,
        "OTLP_HTTP_PORT": otlp_port,
        "OTLP_GRPC_PORT": grpc_port,
        "CONNECTORS": platform / "connectors.yaml",
        "AUTO_REPAIR": 1,
        "REPAIR_STANDING": 1,
    }
    environment = without_settings(os.environ) | {f"{PREFIX}{name}": str(own[name]) for name in own}
    command = [sys.executable, "-m", "graphmind", "serve", "--port", str(api_port)]
    folder = data_dir.parent
    return Child("server", command, folder=folder, cwd=folder, environment=environment)


def _approved(settings: Settings) -> str:
    """Let two people approve the strategies in use; return what they did in words."""
    with open_stores(settings) as stores, open_desk(stores, settings) as desk:
        keys = sorted(each.key for each in desk.strategies() if each.strategy.approval.standing)
        for key in keys:
            for who in APPROVERS:
                desk.approve_strategy(key, who=who)
    return (
        f"{' and '.join(APPROVERS)} approved {len(keys)} strategies with their plans beforehand "
        "(standing approval): what they answer is repaired without waiting for people"
    )


def _up(platform: Child, folder: Path, tell: Tell) -> Json:
    """Wait for the platform and pass on what it says; return its addresses."""
    told, deadline_s = 0, time.monotonic() + UP_S
    while True:
        lines = platform.log.splitlines()
        for line in lines[told:]:
            tell(f"platform: {line}")
        told = len(lines)
        if any(line.startswith("up: ") for line in lines):
            return dict(orjson.loads((folder / "platform.json").read_bytes()))
        platform.must_come(deadline_s, "its first task")
        time.sleep(0.1)


def _ready(server: Child, api: str) -> None:
    deadline_s = time.monotonic() + READY_S
    while True:
        try:
            if httpx.get(f"{api}/readyz", timeout=10, trust_env=False).is_success:
                return
        except httpx.TransportError:
            pass
        server.must_come(deadline_s, "its readiness")
        time.sleep(0.1)
