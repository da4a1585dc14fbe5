"""Logging in and out with a browser: a token or a link becomes a session."""

import html
from typing import Annotated, Any, Final, Literal
from urllib.parse import parse_qs

import msgspec
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from graphmind_api.access.caller import Caller, Unauthenticated
from graphmind_api.access.doors import Doors, now_ms
from graphmind_api.access.gate import unauthenticated
from graphmind_api.access.sessions import COOKIE
from graphmind_api.actor import FROM_HERE
from graphmind_api.problems import answer

router = APIRouter(tags=["access"])

CONSOLE: Final = "/"
BODY_BYTES_MAX: Final = 20_000
"""A token of an OpenID provider takes a few thousand (chosen)."""
PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>graphmind: log in</title>
<meta name="viewport" content="width=device-width">
<link rel="icon" href="/assets/icon.svg"><link rel="stylesheet" href="/assets/base.css"></head>
<body><main><h1>graphmind</h1>{why}
<form method="post" action="/login">
<p><label for="token">API key or local token</label><br>
<input id="token" name="token" type="password" size="60" required autofocus autocomplete="off"></p>
<p><button class="go">Log in</button></p></form>
<p>The local token is in the file <code>token</code> of the data folder of
<code>graphmind serve</code>; <code>graphmind keys create NAME --role viewer</code> makes a key.</p>
</main></body></html>
"""
FORM: Final = "application/x-www-form-urlencoded"
TOKEN_BODY: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["token"],
    "properties": {"token": {"type": "string"}},
}
Code = Annotated[str, Query(max_length=200, description="Of the link; opens once")]


class _TokenBody(msgspec.Struct):
    token: str


@router.get(
    "/login",
    summary="Log in with a link, or show where to paste a token",
    response_class=HTMLResponse,
    responses={303: {"description": "Logged in"}, 401: {"description": "The link is used up"}},
)
def open_login(request: Request, code: Code = "") -> Response:
    """Links are printed by `graphmind serve`; each opens once."""
    if not code:
        return _page()
    doors: Doors = request.app.state.doors
    try:
        return _to_console(request, doors.by_code(code))
    except Unauthenticated as error:
        return _page(str(error), status=401)


@router.post(
    "/login",
    summary="Log in with a token",
    dependencies=FROM_HERE,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {name: {"schema": TOKEN_BODY} for name in ("application/json", FORM)},
        }
    },
    responses={
        200: {"description": "Logged in; the cookie is set"},
        303: {"description": "Logged in with a form"},
        401: {"description": "The token opens nothing"},
        413: {"description": "The body is too long to be a token"},
        422: {"description": "The body has no token"},
    },
)
async def log_in(request: Request) -> Response:
    """With a form the answer is a page, with JSON it is JSON."""
    is_form = request.headers.get("content-type", "").partition(";")[0].strip() == FORM
    body = await request.body()
    if len(body) > BODY_BYTES_MAX:
        return answer(request, status=413, detail="This body is too long to be a token.")
    token = _form_token(body) if is_form else _json_token(body)
    if not token:
        return answer(request, status=422, detail='Expected {"token": "..."}, or a form with it.')
    doors: Doors = request.app.state.doors
    try:
        caller = await run_in_threadpool(doors.by_token, token)
    except Unauthenticated as error:
        if is_form:
            return _page(str(error), status=401)
        return unauthenticated(request.scope, f"{error}.", code="invalid_token")
    if is_form:
        return _to_console(request, caller)
    return _with_session(JSONResponse({"name": caller.name, "role": caller.role}), request, caller)


@router.post("/logout", summary="Log out", status_code=204, dependencies=FROM_HERE)
def log_out(request: Request) -> Response:
    """End the session of the cookie, here and in the browser."""
    doors: Doors = request.app.state.doors
    doors.sessions.end(request.cookies.get(COOKIE, ""))
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return response


def _to_console(request: Request, caller: Caller) -> Response:
    return _with_session(RedirectResponse(CONSOLE, 303), request, caller)


def _with_session(response: Response, request: Request, caller: Caller) -> Response:
    doors: Doors = request.app.state.doors
    strict: Literal["strict"] = "strict"
    response.set_cookie(
        COOKIE,
        doors.sessions.begin(caller, now_ms=now_ms()),
        httponly=True,
        samesite=strict,
        secure=request.url.scheme == "https",
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _page(why: str = "", *, status: int = 200) -> Response:
    told = f'<p role="alert">{html.escape(why)}.</p>' if why else ""
    return HTMLResponse(PAGE.format(why=told), status, headers={"Cache-Control": "no-store"})


def _form_token(body: bytes) -> str:
    given = parse_qs(body.decode("utf-8", "replace"), max_num_fields=10).get("token", [""])
    return given[0].strip()


def _json_token(body: bytes) -> str:
    try:
        return msgspec.json.decode(body, type=_TokenBody).token.strip()
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ""
