"""OTLP/gRPC (specification 1.10), and what senders do wrong."""

import gzip
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Thread

import grpc  # type: ignore[import-untyped]  # no stubs
import pytest
from google.rpc.error_details_pb2 import (
    BadRequest,
    RetryInfo,
)
from google.rpc.status_pb2 import Status
from graphmind_loaders.push import otlp_grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from graphmind.errors import SettingsError
from graphmind.settings import Settings
from tests.loaders.push.sending import (
    NOW_NS,
    connected,
    logs,
    metrics,
    read_all,
    traces,
    until,
)
from tests.loaders.push.sinks import Broken, Failing, Full, Keeping, Waiting

BODY_MAX = 100_000
COLLECTOR = "opentelemetry.proto.collector"
TRACES = f"{COLLECTOR}.trace.v1.TraceService"
LOGS = f"{COLLECTOR}.logs.v1.LogsService"
METRICS = f"{COLLECTOR}.metrics.v1.MetricsService"
GZIP = grpc.Compression.Gzip


@contextmanager
def listening(sink, *, token=""):
    settings = Settings(otlp_grpc_port=0, otlp_body_max=BODY_MAX, otlp_token=token)
    receiver = otlp_grpc.listen(sink, settings, host="127.0.0.1")
    try:
        yield receiver
    finally:
        receiver.stop()


@pytest.fixture(scope="module")
def shared():
    """One receiver for all tests that only ask what is answered."""
    sink = Keeping()
    with listening(sink) as receiver:
        yield receiver, sink


def export(receiver, body, service=TRACES, *, compression=None, metadata=()):
    with grpc.insecure_channel(receiver.address) as channel:
        call = channel.unary_unary(f"/{service}/Export")
        return call(body, compression=compression, metadata=metadata, timeout=30)


def refused(*args, **keywords) -> tuple[grpc.StatusCode, Status]:
    """Return the code of a refusal, and the status in its details."""
    with pytest.raises(grpc.RpcError) as caught:
        export(*args, **keywords)
    trailing = dict(caught.value.trailing_metadata())
    status = Status.FromString(trailing["grpc-status-details-bin"])
    assert (status.code, status.message) == (caught.value.code().value[0], caught.value.details())
    return caught.value.code(), status


@pytest.mark.parametrize("compression", [None, GZIP, grpc.Compression.Deflate])
def test_spans_are_stored_and_the_answer_is_empty(receiver, sink, compression):
    assert export(receiver, traces(20), compression=compression) == b""
    assert len(sink.rows) == 20


def test_logs_are_stored(receiver, sink):
    assert export(receiver, logs(2), LOGS) == b""
    assert [row["body"] for row in sink.rows] == ["line 0", "line 1"]


def test_histograms_are_counted_as_rejected(receiver, sink):
    partial = ExportTraceServiceResponse.FromString(export(receiver, metrics(), METRICS))

    assert partial.partial_success.rejected_spans == 2
    assert [row["name"] for row in sink.rows] == ["retries", "retries"]


@pytest.mark.parametrize("service", [TRACES, LOGS, METRICS])
@pytest.mark.parametrize("compression", [None, GZIP])
def test_an_empty_request_succeeds(receiver, sink, service, compression):
    assert export(receiver, b"", service, compression=compression) == b""
    assert sink.batches == []


def test_spans_of_the_future_are_counted_as_rejected(receiver, sink):
    ahead = traces(2, start_ns=NOW_NS + 10 * 86_400 * 10**9)

    answer = ExportTraceServiceResponse.FromString(export(receiver, traces(1) + ahead))

    assert answer.partial_success.rejected_spans == 2
    assert "starts in the future" in answer.partial_success.error_message
    assert len(sink.rows) == 1


@pytest.mark.parametrize("service", [TRACES, LOGS, METRICS])
@pytest.mark.parametrize("body", [b"\xff\xff", traces()[:-3], b"{}"], ids=["noise", "cut", "json"])
def test_what_does_not_decode_is_bad_data(receiver, service, body):
    code, status = refused(receiver, body, service)

    assert code == grpc.StatusCode.INVALID_ARGUMENT
    detail = BadRequest()
    assert status.details[0].Unpack(detail)
    assert "expected an OTLP" in detail.field_violations[0].description


@pytest.mark.parametrize("body", [gzip.compress(traces())[:-9], b"\x1f\x8b"], ids=["cut", "empty"])
def test_broken_gzip_is_bad_data(receiver, body):
    code, status = refused(receiver, body)

    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert "packed with gzip" in status.message


def test_a_small_message_that_unpacks_to_more_is_refused(receiver, sink):
    code, status = refused(receiver, traces(name="n" * 10 * BODY_MAX), compression=GZIP)

    assert code == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "unpack to more" in status.message
    # Without RetryInfo a sender does not try again.
    assert len(status.details) == 0
    assert sink.batches == []


def test_a_larger_message_is_refused(receiver, sink):
    with pytest.raises(grpc.RpcError) as caught:
        export(receiver, traces(name="n" * BODY_MAX))

    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert sink.batches == []


def test_a_full_queue_says_when_to_come_again():
    with listening(Full()) as receiver:
        code, status = refused(receiver, traces())

    assert code == grpc.StatusCode.UNAVAILABLE
    detail = RetryInfo()
    assert status.details[0].Unpack(detail)
    assert detail.retry_delay.ToMilliseconds() == 2500


def test_a_store_that_fails_may_be_tried_again():
    with listening(Failing()) as receiver:
        code, status = refused(receiver, traces())

    assert code == grpc.StatusCode.UNAVAILABLE
    assert "the disk is full" in status.message
    assert len(status.details) == 1


def test_a_bug_is_logged_and_not_told(caplog):
    with listening(Broken()) as receiver:
        code, status = refused(receiver, traces())

    assert code == grpc.StatusCode.INTERNAL
    assert "secret" not in status.message
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("shown", [None, "Bearer wrong", "Basic s3cret", "s3cret"])
def test_without_the_token_nothing_is_taken(shown, caplog):
    sink = Keeping()
    metadata = () if shown is None else (("authorization", shown),)
    with listening(sink, token="s3cret") as receiver:
        code, status = refused(receiver, traces(), metadata=metadata)

    assert (code, sink.batches) == (grpc.StatusCode.UNAUTHENTICATED, [])
    assert "s3cret" not in status.message + caplog.text
    assert "wrong" not in caplog.text


def test_with_the_token_it_is():
    with listening(Keeping(), token="s3cret") as receiver:
        assert export(receiver, traces(), metadata=(("authorization", "Bearer s3cret"),)) == b""


def test_another_service_is_unimplemented(receiver):
    with pytest.raises(grpc.RpcError) as caught:
        export(receiver, b"", f"{COLLECTOR}.profiles.v1development.ProfilesService")

    assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00" * 100,
        b"POST /v1/traces HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n",
        PREFACE[:10],
        PREFACE + b"\xff" * 200,
        PREFACE + SETTINGS + b"\x00\x00\x10\x00\x00\x00\x00\x00\x01half a frame",
        PREFACE + SETTINGS + b"\x00\x00\x04\x01\x04\x00\x00\x00\x01\xff\xff\xff\xff",
    ],
)
def test_what_is_no_grpc_harms_nobody(receiver, garbage):
    with connected(receiver.address) as connection:
        connection.sendall(garbage)
        connection.shutdown(1)
        read_all(connection)

    assert export(receiver, traces()) == b""


def test_two_hundred_senders_at_once_are_all_answered(receiver, sink):
    with grpc.insecure_channel(receiver.address) as channel:
        call = channel.unary_unary(f"/{TRACES}/Export")
        waiting = [call.future(traces(5), timeout=60) for _ in range(200)]
        answers = [future.result() for future in waiting]

    assert answers == [b""] * 200
    assert len(sink.rows) == 1000


def test_requests_under_way_are_answered_before_it_stops():
    sink = Waiting()
    settings = Settings(otlp_grpc_port=0, otlp_body_max=BODY_MAX)
    receiver = otlp_grpc.listen(sink, settings, host="127.0.0.1")
    with ThreadPoolExecutor(10) as pool:
        answers = [pool.submit(export, receiver, traces()) for _ in range(10)]
        until(lambda: len(sink.futures) == 10)
        stopping = Thread(target=receiver.stop)
        stopping.start()
        time.sleep(0.3)
        waiting = stopping.is_alive()
        sink.keep()
        stopping.join(10)

        assert (waiting, stopping.is_alive()) == (True, False)
        assert [answer.result() for answer in answers] == [b""] * 10
    with pytest.raises(OSError, match="refused"):
        connected(receiver.address)


def test_a_port_in_use_is_named_with_what_to_do(receiver):
    port = int(receiver.address.rpartition(":")[2])

    with pytest.raises(SettingsError, match="set GRAPHMIND_OTLP_GRPC_PORT"):
        otlp_grpc.listen(Keeping(), Settings(otlp_grpc_port=port), host="127.0.0.1")


def test_what_was_answered_is_counted():
    with listening(Keeping()) as receiver:
        export(receiver, traces(3), compression=GZIP)
        refused(receiver, b"\xff", LOGS)

        totals = receiver.totals()

    assert totals.requests == {("traces", "accepted"): 1, ("logs", "bad_data"): 1}
    assert (totals.accepted, totals.rejected) == ({"traces": 3}, {"traces": 0})
    assert totals.body_bytes == {"traces": len(traces(3))}
