"""Who asks, and the API keys."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from graphmind.access.keys import Keys
from graphmind_api.access.doors import Doors, now_ms
from graphmind_api.access_models import Key, KeyList, KeyRequest, Me, NewKey
from graphmind_api.actor import FROM_HERE, KnownCaller, may
from graphmind_api.context import API
from graphmind_api.problems import UNKNOWN

router = APIRouter(prefix=API, tags=["access"])
Name = Annotated[str, Path(max_length=64, description="Name of a key")]


@router.get("/me", summary="Who asks, and what they may")
def read_me(caller: KnownCaller, response: Response) -> Me:
    """For a console that shows what can be done."""
    response.headers["Cache-Control"] = "no-store"
    return Me(name=caller.name, role=caller.role, kind=caller.kind, expires_ms=caller.expires_ms)


@router.get("/keys", summary="The API keys", dependencies=[may("admin")])
def read_keys(request: Request) -> KeyList:
    """Without their tokens: nobody knows them but who was given them."""
    return KeyList(items=tuple(map(Key.of, _keys(request).all())))


@router.post(
    "/keys",
    summary="Make an API key",
    status_code=201,
    dependencies=[*FROM_HERE, may("admin")],
    responses={409: {"description": "The name is taken"}},
)
def create_key(asked: KeyRequest, request: Request, response: Response) -> NewKey:
    """The answer alone holds the token: it can never be shown again."""
    response.headers["Cache-Control"] = "no-store"
    token = _keys(request).create(asked.name, asked.role, now_ms=now_ms(), days=asked.expires_days)
    return NewKey(name=asked.name, role=asked.role, token=token)


@router.delete(
    "/keys/{name}",
    summary="Revoke an API key",
    status_code=204,
    dependencies=[*FROM_HERE, may("admin")],
    responses=UNKNOWN,
)
def revoke_key(name: Name, request: Request) -> None:
    """It opens nothing from the next request on, and the sessions begun by it end."""
    _keys(request).revoke(name)


def _keys(request: Request) -> Keys:
    doors: Doors = request.app.state.doors
    return doors.keys
