"""A desk over real stores whose control plane is a board of switches in memory."""

import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from graphmind_api.access.doors import Doors, now_ms
from graphmind_api.app import create_app

from graphmind.access.keys import Keys
from graphmind.access.roles import Role
from graphmind.jobs.repairs.desk import RepairDesk
from graphmind.jobs.stores import Stores
from graphmind.repair.connector import Applied, Effect, Planned, Seen
from graphmind.repair.model import Call, Json
from graphmind.repair.strategies.actions import LEVEL_OF
from graphmind.settings import Settings
from tests.api.conftest import serving
from tests.repair.levers import Levers


class Board(Levers):
    """Does what it is asked, by target; ``open`` holds every call back while it is not set."""

    def __init__(self) -> None:
        super().__init__(*LEVEL_OF)
        self.state: dict[str, str] = {}
        self.open = threading.Event()
        self.open.set()
        self.called = threading.Event()

    def plan(self, call: Call) -> Planned:
        planned = super().plan(call)
        return replace(planned, before={"state": self.state.get(call.target, "")})

    def apply(self, call: Call, *, before: Json, key: str) -> Applied:
        self.called.set()
        assert self.open.wait(30)
        self.state[call.target] = call.action
        return super().apply(call, before=before, key=key)

    def verify(self, call: Call, *, before: Json, key: str) -> Seen:
        state = self.state.get(call.target, "")
        effect = Effect.APPLIED if state == call.action else Effect.NOT_APPLIED
        return Seen(effect=effect, state={"state": state})

    def undo(self, call: Call, *, before: Json, key: str) -> Applied:
        self.state[call.target] = before["state"]
        return Applied(detail="undone")


def desk_over(stores: Stores, settings: Settings, board: Board | None) -> RepairDesk:
    desk = RepairDesk(stores, settings, {"board": board} if board else {})
    desk.open()
    return desk


@contextmanager
def client_of_desk(
    stores: Stores, settings: Settings, desk: RepairDesk, *, role: Role | None = "responder"
) -> Iterator[httpx.Client]:
    """Serve the app with its desk to people who have keys of a role; None: to the local token."""
    with TemporaryDirectory() as folder:
        doors = Doors(replace(settings, data_dir=Path(folder)))
        with serving(create_app(stores, settings, None, desk, doors)) as client:
            if role:
                client.auth = KeyOf(doors.keys, role)
            yield client


class KeyOf(httpx.Auth):
    """Sends each request with a key of whom ``X-Graphmind-Actor`` names, made on the way."""

    def __init__(self, keys: Keys, role: Role) -> None:
        self._keys = keys
        self._role = role
        self._tokens: dict[str, str] = {}

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        name = request.headers.get("X-Graphmind-Actor", "rae")
        if name not in self._tokens:
            self._tokens[name] = self._keys.create(name, self._role, now_ms=now_ms())
        request.headers["Authorization"] = f"Bearer {self._tokens[name]}"
        yield request


def who(name: str, **more: str) -> dict[str, str]:
    return {"X-Graphmind-Actor": name, **more}
