"""A desk over real stores whose control plane is a board of switches in memory."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import httpx
from fastapi import Request
from graphmind_api.actor import Actor, actor_of
from graphmind_api.app import create_app

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
    stores: Stores, settings: Settings, desk: RepairDesk, *, role: str = ""
) -> Iterator[httpx.Client]:
    """Serve the app with its desk; with a role, as if a login had given it to whoever asks."""
    app = create_app(stores, settings, None, desk)
    if role:

        def known(request: Request) -> Actor:
            return Actor(name=request.headers["X-Graphmind-Actor"], role=role)

        app.dependency_overrides[actor_of] = known
    with serving(app) as client:
        yield client


def who(name: str, **more: str) -> dict[str, str]:
    return {"X-Graphmind-Actor": name, **more}
