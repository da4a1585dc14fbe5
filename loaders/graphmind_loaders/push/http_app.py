"""What is answered to each request of OTLP over HTTP; an ASGI application."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from concurrent.futures import Executor, Future
from typing import Any

from graphmind_loaders.push.bodies import BODIES_HELD_MAX, PACKED, Budget, Held, too_large, unpacked
from graphmind_loaders.push.counts import Counts
from graphmind_loaders.push.gathering import Gathering
from graphmind_loaders.push.intake import STORED_WITHIN_S, Intake, not_stored_in_time
from graphmind_loaders.push.refusals import (
    ACCEPTED,
    NOT_FOUND,
    OVERLOADED,
    PARTIAL,
    STALLED,
    UNSUPPORTED,
    WRONG_METHOD,
    RefusalLog,
    Refused,
    refusal_of,
)
from graphmind_loaders.push.signals import JSON, PROTOBUF, SIGNALS, Signal, rejected_records

_LOG = logging.getLogger(__name__)

BODY_WITHIN_S = 30.0  # chosen: the largest body, at 2 MB/s
DRAIN_WITHIN_S = 5.0  # chosen: how long a sender may go on sending what is refused already
HURRY_S = 1.0  # chosen: how long bodies may still come in after stop()
STOP_WITHIN_S = int(STORED_WITHIN_S) + 5
REQUESTS_MAX = 1024
"""Requests under way at once (chosen: the bytes they hold are bounded apart)."""
_RETRY_S = 1.0

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]
_PATHS = {f"/v1/{signal.name}": signal for signal in SIGNALS}


class Gone(Exception):  # noqa: N818 - reads as what happened
    """The sender hung up: nobody waits for an answer."""


class Incoming:
    """The body of one request, while it comes in."""

    def __init__(self, receive: _Receive) -> None:
        self._receive = receive
        self.whole = False

    async def part(self) -> bytes:
        """Return what came next. Raises Gone."""
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise Gone
        self.whole = not message.get("more_body", False)
        return bytes(message.get("body", b""))


class HttpApp:
    """Answers requests on one event loop; ``pool`` unpacks, ``gathering`` decodes."""

    def __init__(
        self,
        *,
        intake: Intake,
        gathering: Gathering,
        counts: Counts,
        log: RefusalLog,
        pool: Executor,
        body_within_s: float,
    ) -> None:
        self._intake = intake
        self._gathering = gathering
        self._counts = counts
        self._log = log
        self._pool = pool
        self._body_max = intake.settings.otlp_body_max
        self._budget = Budget(BODIES_HELD_MAX * self._body_max)
        self._under_way = 0
        self._body_within_s = body_within_s
        self._reading: set[asyncio.Timeout] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def held_bytes(self) -> int:
        """Bytes of the bodies under way."""
        return self._budget.held_bytes

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        """Answer one request."""
        self._loop = self._loop or asyncio.get_running_loop()
        headers = {
            key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]
        }
        content_type = _content_type(headers)
        signal = _PATHS.get(scope["path"])
        incoming = Incoming(receive)
        self._under_way += 1
        try:
            body = await self._answer(scope, headers, incoming)
        except Gone:
            self._counts.refused(signal.name if signal else "", "gone")
        except Exception as error:  # noqa: BLE001 - the one edge of this transport
            refused = refusal_of(error)
            if not isinstance(error, Refused) and refused.outcome.http == 500:
                _LOG.exception("otlp_failed transport=http path=%s", scope["path"])
            await self._drain(headers, incoming)
            self._counts.refused(signal.name if signal else "", refused.outcome.name)
            self._log.note(refused, scope["path"][:100])
            answer_type = content_type if content_type in (JSON, PROTOBUF) else JSON
            await _send(send, refused, answer_type, keep=incoming.whole)
        else:
            await _respond(send, 200, content_type, body)
        finally:
            self._under_way -= 1

    async def _answer(self, scope: _Message, headers: dict[str, str], incoming: Incoming) -> bytes:
        signal, content_type = self._wanted(scope, headers)
        with self._budget.request() as held:
            body = await self._body(headers, incoming, held)
            if headers.get("content-encoding", "").lower() in PACKED:
                body = await asyncio.get_running_loop().run_in_executor(
                    self._pool, self._unpacked, body, held
                )
            size = len(body)
            offering = self._gathering.offer(signal, content_type, body)
            del body
            offered = await asyncio.wrap_future(offering)
            await _stored(offered.stored)
        rejected = rejected_records(offered.rejected)
        self._counts.taken(
            signal.name,
            (PARTIAL if rejected else ACCEPTED).name,
            accepted=offered.records,
            rejected=rejected,
            body_bytes=size,
        )
        return signal.answer(content_type, offered.rejected)

    def _wanted(self, scope: _Message, headers: dict[str, str]) -> tuple[Signal, str]:
        signal = _PATHS.get(scope["path"])
        if signal is None:
            known = ", ".join(_PATHS)
            raise Refused(NOT_FOUND, f"expected one of {known}: set the exporter's endpoint")
        if scope["method"] != "POST":
            got = scope["method"]
            raise Refused(WRONG_METHOD, f"expected POST, got {got}", headers=(("allow", "POST"),))
        self._intake.admit(headers.get("authorization", ""))
        content_type = _content_type(headers)
        if content_type not in signal.decoders:
            raise Refused(
                UNSUPPORTED,
                f"expected Content-Type {PROTOBUF} or {JSON}, got {content_type or 'none'!r:.100}: "
                "set the exporter's protocol to http/protobuf or http/json",
            )
        encoding = headers.get("content-encoding", "").lower()
        if encoding not in ("", "identity", *PACKED):
            raise Refused(
                UNSUPPORTED,
                f"expected Content-Encoding gzip, deflate or none, got {encoding!r:.100}: "
                "set the exporter's compression to gzip or none",
            )
        if self._under_way > REQUESTS_MAX:
            raise Refused(
                OVERLOADED,
                f"{REQUESTS_MAX} requests are under way already: send again later",
                retry_after_s=_RETRY_S,
            )
        return signal, content_type

    async def _body(self, headers: dict[str, str], incoming: Incoming, held: Held) -> bytes:
        stated = headers.get("content-length", "")
        if stated.isdigit() and int(stated) > self._body_max:
            raise too_large(f"{stated} bytes", self._body_max)
        parts: list[bytes] = []
        try:
            async with asyncio.timeout(self._body_within_s) as limit:
                self._reading.add(limit)
                while not incoming.whole:
                    part = await incoming.part()
                    held.add(len(part))
                    parts.append(part)
                    if held.bytes > self._body_max:
                        raise too_large("more", self._body_max)
        except TimeoutError as error:
            raise Refused(
                STALLED,
                f"expected the whole body in {self._body_within_s:.0f} s, got {held.bytes} bytes: "
                "send smaller batches, or look at the network",
            ) from error
        finally:
            self._reading.discard(limit)
        return b"".join(parts)

    def _unpacked(self, body: bytes, held: Held) -> bytes:
        return unpacked(body, bytes_max=self._body_max, held=held)

    async def _drain(self, headers: dict[str, str], incoming: Incoming) -> None:
        """Read on and forget for a while, so that the sender comes to read the answer."""
        left = self._body_max
        if headers.get("expect", "").lower() == "100-continue":
            return
        try:
            async with asyncio.timeout(min(DRAIN_WITHIN_S, self._body_within_s)) as limit:
                self._reading.add(limit)
                while not incoming.whole and left > 0:
                    left -= len(await incoming.part())
        except (TimeoutError, Gone):
            return
        finally:
            self._reading.discard(limit)

    def hurry(self) -> None:
        """Give senders little time for what they still want to send. Any thread may call."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._hurry)

    def _hurry(self) -> None:
        self._body_within_s = HURRY_S
        for limit in self._reading:
            if not limit.expired():
                limit.reschedule(asyncio.get_running_loop().time() + HURRY_S)


async def _stored(stored: Sequence[Future[None]]) -> None:
    """Wait until all is durable. Raises what the sink raised, and Refused after a while."""
    if not stored:
        return
    waiting = [asyncio.wrap_future(future) for future in stored]
    # Not wait_for: it would cancel what the sink is about to complete.
    done, late = await asyncio.wait(waiting, timeout=STORED_WITHIN_S)
    for future in late:
        future.add_done_callback(lambda each: each.cancelled() or each.exception())
    errors = [error for future in done if (error := future.exception()) is not None]
    if errors:
        raise errors[0]
    if late:
        raise not_stored_in_time()


def _content_type(headers: dict[str, str]) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


async def _send(send: _Send, refused: Refused, content_type: str, *, keep: bool) -> None:
    headers = list(refused.headers)
    if refused.retry_after_s is not None:
        headers.append(("retry-after", str(refused.retry_seconds)))
    if not keep:
        headers.append(("connection", "close"))
    await _respond(send, refused.outcome.http, content_type, refused.status(content_type), headers)


async def _respond(
    send: _Send,
    status: int,
    content_type: str,
    body: bytes,
    headers: Sequence[tuple[str, str]] = (),
) -> None:
    sent = [("content-type", content_type), ("content-length", str(len(body))), *headers]
    encoded = [(key.encode(), value.encode()) for key, value in sent]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": body})
