"""Why a request is refused, in the terms of both transports, and the log line that says so."""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import NamedTuple

from google.protobuf import any_pb2, json_format  # type: ignore[import-untyped]  # no stubs
from google.rpc import (
    code_pb2,
    error_details_pb2,
    status_pb2,
)

from graphmind.errors import Overloaded, SourceError, StoreError
from graphmind_loaders.push.signals import JSON

_LOG = logging.getLogger(__name__)

STORE_RETRY_S = 5.0  # chosen: a store that failed needs longer than a full queue
LINE_EVERY_S = 60.0


class Outcome(NamedTuple):
    """A kind of answer, with its numbers in HTTP and in ``google.rpc``."""

    name: str
    http: int
    code: int


ACCEPTED = Outcome("accepted", 200, code_pb2.OK)
PARTIAL = Outcome("partial", 200, code_pb2.OK)
BAD_DATA = Outcome("bad_data", 400, code_pb2.INVALID_ARGUMENT)
UNAUTHORIZED = Outcome("unauthorized", 401, code_pb2.UNAUTHENTICATED)
NOT_FOUND = Outcome("not_found", 404, code_pb2.NOT_FOUND)
WRONG_METHOD = Outcome("wrong_method", 405, code_pb2.UNIMPLEMENTED)
STALLED = Outcome("stalled", 408, code_pb2.DEADLINE_EXCEEDED)
TOO_LARGE = Outcome("too_large", 413, code_pb2.RESOURCE_EXHAUSTED)
UNSUPPORTED = Outcome("unsupported", 415, code_pb2.INVALID_ARGUMENT)
FAILED = Outcome("failed", 500, code_pb2.INTERNAL)
OVERLOADED = Outcome("overloaded", 503, code_pb2.UNAVAILABLE)
STORE_FAILED = Outcome("store_failed", 503, code_pb2.UNAVAILABLE)


class Refused(Exception):  # noqa: N818 - reads as what happened
    """A request is not taken; ``message`` is for the sender's developer."""

    def __init__(
        self,
        outcome: Outcome,
        message: str,
        *,
        retry_after_s: float | None = None,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(message)
        self.outcome = outcome
        self.message = message
        self.retry_after_s = retry_after_s
        self.headers = headers

    @property
    def retry_seconds(self) -> int:
        """Whole seconds to wait, at least one."""
        return max(1, math.ceil(self.retry_after_s or 0))

    def status(self, content_type: str) -> bytes:
        """Write the ``google.rpc.Status`` of this refusal."""
        status = self.as_status()
        if content_type == JSON:
            return str(json_format.MessageToJson(status, indent=None)).encode()
        return bytes(status.SerializeToString())

    def as_status(self) -> status_pb2.Status:
        """Return the ``google.rpc.Status``, with the detail that OTLP asks for."""
        status = status_pb2.Status(code=self.outcome.code, message=self.message)
        if self.retry_after_s is not None:
            delay = error_details_pb2.RetryInfo()
            delay.retry_delay.FromMilliseconds(math.ceil(self.retry_after_s * 1000))
            status.details.append(_packed(delay))
        elif self.outcome is BAD_DATA:
            bad = error_details_pb2.BadRequest()
            bad.field_violations.add(field="body", description=self.message)
            status.details.append(_packed(bad))
        return status


def _packed(detail: object) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(detail)
    return packed


def refusal_of(error: Exception) -> Refused:
    """Turn what decoding or the sink raised into a refusal; what is unforeseen says nothing."""
    if isinstance(error, Refused):
        return error
    if isinstance(error, SourceError):
        return Refused(BAD_DATA, str(error))
    if isinstance(error, Overloaded):
        return Refused(OVERLOADED, str(error), retry_after_s=error.retry_after_s)
    if isinstance(error, StoreError):
        message = f"not stored ({error}): send it again"
        return Refused(STORE_FAILED, message, retry_after_s=STORE_RETRY_S)
    return Refused(FAILED, "expected to take this request, and failed: see the log of graphmind")


@dataclass(kw_only=True)
class RefusalLog:
    """Writes at most one line a minute for each kind of refusal, with how many there were."""

    transport: str
    now_s: Callable[[], float] = time.monotonic
    _last_s: dict[str, float] = field(default_factory=dict)
    _since: dict[str, int] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def note(self, refused: Refused, where: str) -> None:
        """Count a refusal; log it unless one of its kind was logged within the minute."""
        kind, now_s = refused.outcome.name, self.now_s()
        with self._lock:
            count = self._since[kind] = self._since.get(kind, 0) + 1
            if now_s - self._last_s.get(kind, -math.inf) < LINE_EVERY_S:
                return
            self._last_s[kind], self._since[kind] = now_s, 0
        _LOG.warning(
            "otlp_refused transport=%s where=%r kind=%s count=%d said=%r",
            *(self.transport, where, kind, count, refused.message),
        )
