"""OTLP over gRPC: the three collector services, each request stored before it is answered.

Messages stay bytes until the fast decoder has them. gRPC itself would unpack them without a bound,
so it is told not to, and they are unpacked here.
"""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from typing import Any

import grpc  # type: ignore[import-untyped]  # no stubs

from graphmind.errors import SettingsError
from graphmind.settings import Settings
from graphmind.sources import Sink
from graphmind_loaders.push.bodies import (
    BODIES_HELD_MAX,
    PACKED_FIRST_BYTES,
    Budget,
    Held,
    too_large,
    unpacked,
)
from graphmind_loaders.push.counts import Counts, Totals
from graphmind_loaders.push.intake import STORED_WITHIN_S, Intake, not_stored_in_time
from graphmind_loaders.push.refusals import (
    ACCEPTED,
    FAILED,
    PARTIAL,
    RefusalLog,
    Refused,
    refusal_of,
)
from graphmind_loaders.push.signals import PROTOBUF, SIGNALS, Signal, rejected_records

_LOG = logging.getLogger(__name__)

name = "otlp-grpc"

THREADS = 32
"""Requests under way at once, each on a thread that mostly waits for the store (chosen)."""
_CODES = {code.value[0]: code for code in grpc.StatusCode}
_STOP_WITHIN_S = STORED_WITHIN_S + 5


def listen(sink: Sink, settings: Settings, *, host: str) -> "OtlpGrpc":
    """Listen on ``otlp_grpc_port``; return once connections are taken.

    Raises SettingsError where the port cannot be had.
    """
    return OtlpGrpc(sink, settings, host=host)


class OtlpGrpc:
    """The receiver while it listens."""

    name = name

    def __init__(self, sink: Sink, settings: Settings, *, host: str) -> None:
        self._intake = Intake(sink=sink, settings=settings)
        self._body_max = settings.otlp_body_max
        self._budget = Budget(BODIES_HELD_MAX * self._body_max)
        self._counts = Counts()
        self._log = RefusalLog(transport="grpc")
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="otlp-grpc")
        self._server = grpc.server(self._pool, options=_options(self._body_max))
        self._server.add_generic_rpc_handlers([self._service(signal) for signal in SIGNALS])
        bracketed = f"[{host}]" if ":" in host else host
        self._address = f"{bracketed}:{self._bind(bracketed, settings.otlp_grpc_port)}"
        self._server.start()
        _LOG.info("otlp_listening transport=grpc address=%s", self._address)

    def _bind(self, host: str, port: int) -> int:
        try:
            bound = self._server.add_insecure_port(f"{host}:{port}")
        except RuntimeError as error:
            self._pool.shutdown()
            raise SettingsError(
                f"expected to listen on {host}:{port} for OTLP over gRPC, got: {error}. End what "
                "listens there, or set GRAPHMIND_OTLP_GRPC_PORT to another port (-1: do not listen)"
            ) from error
        return int(bound)

    def _service(self, signal: Signal) -> grpc.GenericRpcHandler:
        # Without serialisers, messages come and go as bytes.
        export = grpc.unary_unary_rpc_method_handler(self._export(signal))
        return grpc.method_handlers_generic_handler(signal.service, {"Export": export})

    @property
    def address(self) -> str:
        """Where it listens: ``host:port``."""
        return self._address

    def totals(self) -> Totals:
        """Return what was answered since it began."""
        return self._counts.totals()

    def stop(self) -> None:
        """Take no more requests, answer those under way, and return."""
        self._server.stop(_STOP_WITHIN_S).wait()
        self._pool.shutdown()

    def _export(self, signal: Signal) -> Callable[[bytes, grpc.ServicerContext], bytes]:
        def export(message: bytes, context: grpc.ServicerContext) -> bytes:
            try:
                with self._budget.request() as held:
                    return self._take(signal, message, context, held)
            except Exception as error:  # noqa: BLE001 - the one edge of this transport
                refused = refusal_of(error)
                if refused.outcome is FAILED:
                    _LOG.exception("otlp_failed transport=grpc signal=%s", signal.name)
            self._counts.refused(signal.name, refused.outcome.name)
            self._log.note(refused, signal.service)
            _abort(context, refused)
            return b""

        return export

    def _take(
        self, signal: Signal, message: bytes, context: grpc.ServicerContext, held: Held
    ) -> bytes:
        metadata = {str(key): str(value) for key, value in context.invocation_metadata()}
        self._intake.admit(metadata.get("authorization", ""))
        body = self._body(message, held)
        offered = self._intake.offer(signal, PROTOBUF, body)
        if wait_for(offered.stored, timeout=STORED_WITHIN_S).not_done:
            raise not_stored_in_time()
        for future in offered.stored:
            future.result()
        rejected = rejected_records(offered.rejected)
        self._counts.taken(
            signal.name,
            (PARTIAL if rejected else ACCEPTED).name,
            accepted=offered.records,
            rejected=rejected,
            body_bytes=len(body),
        )
        return signal.answer(PROTOBUF, offered.rejected)

    def _body(self, message: bytes, held: Held) -> bytes:
        held.add(len(message))
        if message.startswith(PACKED_FIRST_BYTES):
            return unpacked(message, bytes_max=self._body_max, held=held)
        if len(message) > self._body_max:
            raise too_large(f"{len(message)} bytes", self._body_max)
        return message


def _options(body_max: int) -> list[tuple[str, Any]]:
    return [
        ("grpc.max_receive_message_length", body_max),
        # Two receivers on one port would share senders out at random.
        ("grpc.so_reuseport", 0),
        ("grpc.per_message_decompression", 0),
    ]


def _abort(context: grpc.ServicerContext, refused: Refused) -> None:
    details = refused.as_status().SerializeToString()
    context.set_trailing_metadata((("grpc-status-details-bin", details),))
    context.set_code(_CODES[refused.outcome.code])
    context.set_details(refused.message)
