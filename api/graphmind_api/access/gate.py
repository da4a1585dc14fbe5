"""Finds out who sends each request, refuses strangers, and counts what each caller sends."""

import math
import time
from http.cookies import CookieError, SimpleCookie
from typing import Final

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from graphmind.errors import StoreError
from graphmind_api.access.caller import Caller, Unauthenticated
from graphmind_api.access.doors import Doors
from graphmind_api.access.sessions import COOKIE
from graphmind_api.problems import RETRY_AFTER_S, answer

HOW: Final = (
    "Send `Authorization: Bearer TOKEN` with an API key (`graphmind keys create NAME --role "
    "viewer`) or the local token (the file `token` of the data folder); a browser logs in at /login"
)

CHALLENGE: Final = 'Bearer realm="graphmind"'
"""What a 401 asks for (RFC 6750)."""


class Gate:
    """Puts the caller into the request's state; under ``guarded`` nobody unknown gets further."""

    def __init__(self, app: ASGIApp, *, doors: Doors, guarded: str, requests_a_minute: int) -> None:
        self._app = app
        self._doors = doors
        self._guarded = guarded
        self._meter = Meter(requests_a_minute) if requests_a_minute else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        caller, refusal = await self._known(scope)
        scope.setdefault("state", {})["caller"] = caller
        path = scope["path"]
        if self._meter and (path.startswith(self._guarded) or path == "/login"):
            counted = self._meter.count(_meter_key(scope, caller))
            send = counted.stating(send)
            refusal = counted.refusal(scope) or refusal
        if refusal is not None and (path.startswith(self._guarded) or refusal.status_code == 429):
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _known(self, scope: Scope) -> tuple[Caller | None, Response | None]:
        """Return who sends a request, or the answer that says why that is not known."""
        headers = Headers(scope=scope)
        given, cookie = headers.get("authorization"), _cookie(headers.get("cookie", ""))
        try:
            if given is not None:
                scheme, _, token = given.partition(" ")
                if scheme.lower() != "bearer" or not token.strip():
                    return None, unauthenticated(scope, f"Expected a bearer token. {HOW}.")
                return await run_in_threadpool(self._doors.by_token, token.strip()), None
            if cookie:
                return self._doors.by_cookie(cookie), None
        except Unauthenticated as error:
            return None, unauthenticated(scope, f"{error}.", code="invalid_token")
        except StoreError as error:
            retry = {"Retry-After": str(RETRY_AFTER_S)}
            return None, answer(Request(scope), status=503, detail=str(error), headers=retry)
        return None, unauthenticated(scope, f"Who are you? {HOW}.")


def unauthenticated(scope: Scope, detail: str, *, code: str = "") -> Response:
    """Answer 401 with what to do; ``code`` is of RFC 6750 and only stands where a token came."""
    challenge = CHALLENGE + (f', error="{code}"' if code else "")
    return answer(
        Request(scope),
        status=401,
        detail=detail,
        type_="urn:graphmind:unauthenticated",
        title="Log in first",
        headers={"WWW-Authenticate": challenge},
    )


class Meter:
    """Counts the requests of each caller over the last minute."""

    def __init__(self, requests_a_minute: int) -> None:
        self._limit = RateLimitItemPerMinute(requests_a_minute)
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def count(self, key: str) -> "Counted":
        """Count one request."""
        allowed = self._limiter.hit(self._limit, key)
        stats = self._limiter.get_window_stats(self._limit, key)
        return Counted(
            allowed=allowed,
            limit=self._limit.amount,
            remaining=stats.remaining,
            reset_s=max(1, math.ceil(stats.reset_time - time.time())),
        )


class Counted:
    """What is left to a caller."""

    def __init__(self, *, allowed: bool, limit: int, remaining: int, reset_s: int) -> None:
        self._allowed = allowed
        self._limit = limit
        self._remaining = remaining
        self._reset_s = reset_s

    def refusal(self, scope: Scope) -> Response | None:
        """Return the answer to one request too many."""
        if self._allowed:
            return None
        return answer(
            Request(scope),
            status=429,
            detail=f"More than {self._limit:,} requests in a minute. Wait {self._reset_s} s, ask "
            "less often, or raise GRAPHMIND_REQUESTS_A_MINUTE.",
            headers={"Retry-After": str(self._reset_s)},
        )

    def stating(self, send: Send) -> Send:
        """Return a ``send`` that states in each answer's headers what is left."""

        async def stated(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["RateLimit-Limit"] = str(self._limit)
                headers["RateLimit-Remaining"] = str(self._remaining)
                headers["RateLimit-Reset"] = str(self._reset_s)
            await send(message)

        return stated


def _meter_key(scope: Scope, caller: Caller | None) -> str:
    if caller is not None:
        return f"{caller.kind}:{caller.name}"
    client = scope.get("client")
    return f"address:{client[0] if client else ''}"


def _cookie(header: str) -> str:
    try:
        morsel = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel else ""
