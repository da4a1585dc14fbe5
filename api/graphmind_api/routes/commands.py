"""The calls of graphmind's own command line, while a server owns the data folder."""

from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, HTTPException, Path, Request, Response
from starlette.concurrency import run_in_threadpool

from graphmind.errors import SourceError
from graphmind.jobs.workbench.port import Workbench, calls
from graphmind_api.actor import KnownCaller, may
from graphmind_api.context import API
from graphmind_api.problems import UNKNOWN, Refusal

router = APIRouter(prefix=f"{API}/commands", tags=["commands"])

Name = Annotated[str, Path(max_length=64, description="Name of a call")]
ARGUMENTS: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
}


@router.post(
    "/{name}",
    summary="Do what a command of the command line does",
    dependencies=[may("admin")],
    openapi_extra=ARGUMENTS,
    response_class=Response,
    responses=UNKNOWN
    | {
        200: {"description": "What the command prints", "content": {"application/json": {}}},
        403: {"description": "Only the local token is taken: a command says itself who acts"},
        422: {"description": "The arguments are not those of the call"},
    },
)
async def do_command(name: Name, request: Request, caller: KnownCaller) -> Response:
    """For `graphmind` on the same machine alone; programs use the other routes."""
    if caller.kind != "local" or caller.in_session:
        raise Refusal(
            403,
            f"You are {caller.name}: commands are taken with the local token of the data folder.",
            type_="urn:graphmind:not-you",
            title="Not who you are",
        )
    call = calls().get(name)
    if call is None:
        raise HTTPException(404, f"No command is named {name!r}: {', '.join(sorted(calls()))}.")
    try:
        arguments = call.read_arguments(await request.body())
    except msgspec.MsgspecError as error:
        raise HTTPException(422, f"Expected the arguments of {name}: {error}.") from error
    workbench: Workbench = request.app.state.workbench
    try:
        answer = await run_in_threadpool(getattr(workbench, name), **arguments)
    except SourceError as error:
        # It names files of this machine, which only who owns the data folder may be told.
        raise Refusal(
            400, str(error), type_="urn:graphmind:input-unreadable", title="Input cannot be read"
        ) from error
    return Response(msgspec.json.encode(answer), media_type="application/json")
