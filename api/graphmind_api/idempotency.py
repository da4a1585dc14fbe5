"""A request sent twice with one ``Idempotency-Key`` is done once, and answered alike both times."""

import hashlib
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from graphmind_api.problems import answer

KEY_CHARS_MAX: Final = 255
KEPT_S: Final = 86_400.0
"""As long as clients are told to try again (chosen)."""
KEPT_BYTES_MAX: Final = 32_000_000
"""Of all answers kept; the oldest go first (chosen)."""
ENTRY_BYTES: Final = 500
"""What an answer takes besides its body, about."""
REPLAYED: Final = "Idempotency-Replayed"


@dataclass(kw_only=True)
class _Kept:
    """A request under way, or done with its answer."""

    fingerprint: str
    at_s: float
    is_done: bool = False
    messages: list[Message] = field(default_factory=list)

    @property
    def size(self) -> int:
        return ENTRY_BYTES + sum(len(message.get("body", b"")) for message in self.messages)


class Idempotency:
    """Keeps the answers to POSTs that name a key, by caller. What was refused may be tried again.

    They are kept in memory; a plan of a repair keeps its key in the journal besides.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._kept: OrderedDict[tuple[str, str], _Kept] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or give the answer that it got before."""
        key = Headers(scope=scope).get("idempotency-key") if scope["type"] == "http" else None
        caller = scope.get("state", {}).get("caller")
        if not key or scope["method"] != "POST" or caller is None:
            await self._app(scope, receive, send)
            return
        body = await _read(receive)
        refusal, former = self._begin((f"{caller.kind}:{caller.name}", key), scope, body)
        if refusal:
            status, detail = refusal
            await answer(Request(scope), status=status, detail=detail)(scope, receive, send)
        elif former:
            for message in former:
                await send(message)
        else:
            await self._pass_on((f"{caller.kind}:{caller.name}", key), body, scope, receive, send)

    def _begin(
        self, key: tuple[str, str], scope: Scope, body: bytes
    ) -> tuple[tuple[int, str] | None, list[Message] | None]:
        """Note a request as under way; or return why not, or the answer that it got before."""
        if len(key[1]) > KEY_CHARS_MAX:
            return (422, f"An Idempotency-Key has at most {KEY_CHARS_MAX} characters."), None
        fingerprint = _fingerprint(scope, body)
        with self._lock:
            self._forget_old()
            kept = self._kept.get(key)
            if kept is None:
                self._kept[key] = _Kept(fingerprint=fingerprint, at_s=time.monotonic())
                return None, None
        if kept.fingerprint != fingerprint:
            return (422, "This Idempotency-Key was used for another request: take a new one."), None
        if not kept.is_done:
            return (409, "The first request with this Idempotency-Key is under way: wait."), None
        return None, kept.messages

    async def _pass_on(
        self, key: tuple[str, str], body: bytes, scope: Scope, receive: Receive, send: Send
    ) -> None:
        messages: list[Message] = []

        async def noted(message: Message) -> None:
            messages.append(_marked(message))
            await send(message)

        try:
            await self._app(scope, _again(body, receive), noted)
        finally:
            self._end(key, messages)

    def _end(self, key: tuple[str, str], messages: list[Message]) -> None:
        """Keep a whole answer to what was done; forget a refusal and what broke off."""
        is_whole = bool(messages) and not messages[-1].get("more_body", False)
        with self._lock:
            kept = self._kept.get(key)
            if kept is None:
                return
            if not is_whole or messages[0].get("status", 500) >= 400:
                del self._kept[key]
                return
            kept.messages, kept.is_done = messages, True
            self._bytes += kept.size
            self._forget_old()

    def _forget_old(self) -> None:
        before_s = time.monotonic() - KEPT_S
        for key, kept in list(self._kept.items()):
            if kept.at_s >= before_s and self._bytes <= KEPT_BYTES_MAX:
                return
            if kept.is_done:
                del self._kept[key]
                self._bytes -= kept.size


async def _read(receive: Receive) -> bytes:
    parts = []
    more = True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


def _again(body: bytes, receive: Receive) -> Receive:
    """Return a ``receive`` that gives a body that was read already."""
    given = False

    async def received() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return received


def _fingerprint(scope: Scope, body: bytes) -> str:
    digest = hashlib.sha256()
    for part in (scope["path"].encode(), scope.get("query_string", b""), body):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def _marked(message: Message) -> Message:
    """Return a message as it is sent again."""
    if message["type"] != "http.response.start":
        return message
    again = {**message, "headers": list(message["headers"])}
    MutableHeaders(scope=again)[REPLAYED] = "true"
    return again
