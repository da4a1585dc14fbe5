"""Every error as a problem document (RFC 9457)."""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from graphmind.errors import (
    GraphmindError,
    NameTaken,
    QueryRefused,
    SettingsError,
    StoreError,
    UnknownName,
)
from graphmind.repair.connector import ConnectorError
from graphmind.repair.journal import Outdated, TargetBusy
from graphmind.repair.planner import PlanRefused
from graphmind.repair.states import NotAllowed
from graphmind.repair.strategies.revisions import ApprovalRefused

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER_S: Final = 5
"""When to ask again after a store did not answer (chosen: a restart of a store takes longer)."""
ERRORS_MAX: Final = 20
"""Things wrong with one request that are listed (chosen)."""
KNOWN: Final[dict[type[GraphmindError], tuple[str, str, int]]] = {
    UnknownName: ("urn:graphmind:unknown-name", "Unknown name", 404),
    QueryRefused: ("urn:graphmind:query-refused", "Query refused", 400),
    NameTaken: ("urn:graphmind:name-taken", "Name taken", 409),
    SettingsError: ("urn:graphmind:setting-wrong", "A setting is wrong", 422),
    StoreError: ("urn:graphmind:store-unavailable", "Store unavailable", 503),
    NotAllowed: ("urn:graphmind:not-allowed", "Not allowed as it stands", 409),
    TargetBusy: ("urn:graphmind:target-busy", "Another repair holds the target", 409),
    Outdated: ("urn:graphmind:outdated", "Changed meanwhile", 412),
    PlanRefused: ("urn:graphmind:plan-refused", "No plan can be made", 422),
    ApprovalRefused: ("urn:graphmind:approval-refused", "Approval refused", 403),
    ConnectorError: ("urn:graphmind:control-plane", "A control plane refused", 502),
}
"""Type, title and status of the errors that a caller can do something about."""
UNKNOWN: Final[dict[int | str, dict[str, Any]]] = {404: {"description": "Nothing of that name"}}
REFUSED: Final[dict[int | str, dict[str, Any]]] = {400: {"description": "A parameter is wrong"}}
"""What routes state in the API's description."""

_log = logging.getLogger(__name__)


class FieldError(BaseModel):
    """One thing wrong with a request."""

    model_config = ConfigDict(frozen=True)

    location: str = Field(description="Where: `body`, `query` or `path`, then the names inside it")
    detail: str = Field(description="What was expected there")


class Problem(BaseModel):
    """Why a request failed (RFC 9457)."""

    model_config = ConfigDict(frozen=True)

    type: str = Field(description="Identifies the kind of problem; `about:blank`: see the status")
    title: str = Field(description="The kind of problem in words")
    status: int = Field(description="The HTTP status")
    detail: str = Field(description="What was expected, what came, and what to do")
    instance: str = Field(description="The path that was asked")
    errors: tuple[FieldError, ...] | None = Field(
        None, description="With status 422: each thing wrong with the request"
    )


def add_handlers(app: FastAPI) -> None:
    """Answer every error of an app with a problem document."""
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(GraphmindError, _known)


class Refusal(HTTPException):
    """A refusal that programs can tell from others of its status."""

    def __init__(
        self,
        status_code: int,
        detail: str,
        *,
        type_: str,
        title: str,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status_code, detail, headers)
        self.type_ = type_
        self.title = title


class Faults:
    """Answers what nothing foresaw with a problem document; the log has the reason.

    Left to the framework, the error would go on to the server, which ends the connection.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except Exception as error:
            if begun:
                raise
            await _unexpected(Request(scope), error)(scope, receive, send)


def _refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return answer(
        request,
        status=error.status_code,
        detail=error.detail,
        type_=error.type_ if isinstance(error, Refusal) else "about:blank",
        title=error.title if isinstance(error, Refusal) else None,
        headers=error.headers,
    )


def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    errors = tuple(_field_error(each) for each in error.errors()[:ERRORS_MAX])
    detail = "; ".join(f"{each.location}: {each.detail}" for each in errors[:3])
    return answer(request, status=422, detail=detail, errors=errors)


def _known(request: Request, error: Exception) -> JSONResponse:
    for kind, (type_, title, status) in KNOWN.items():
        if isinstance(error, kind):
            headers = {"Retry-After": str(RETRY_AFTER_S)} if status == 503 else None
            return answer(
                request, status=status, detail=str(error), type_=type_, title=title, headers=headers
            )
    return _unexpected(request, error)


def _unexpected(request: Request, error: Exception) -> JSONResponse:
    _log.error("request_failed method=%s path=%s", request.method, _path(request), exc_info=error)
    detail = "This is a fault of the server; its log says more. Other requests are not affected."
    return answer(request, status=500, detail=detail)


def _field_error(error: Mapping[str, Any]) -> FieldError:
    where: Sequence[str | int] = error["loc"]
    return FieldError(location=".".join(map(str, where)), detail=error["msg"])


def answer(
    request: Request,
    *,
    status: int,
    detail: str,
    type_: str = "about:blank",
    title: str | None = None,
    errors: tuple[FieldError, ...] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Answer with a problem document."""
    problem = Problem(
        type=type_,
        title=title or HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        instance=_path(request),
        errors=errors,
    )
    return JSONResponse(
        problem.model_dump(exclude_none=True), status, headers=headers, media_type=MEDIA_TYPE
    )


def _path(request: Request) -> str:
    """Return the path as text that fits a URI and a line of the log."""
    return quote(request.url.path)
