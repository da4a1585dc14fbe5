"""Connections of OTLP over HTTP: stalled, broken, many at once; and the end of the receiver."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Thread

import pytest
from graphmind_loaders.push import otlp_http
from graphmind_loaders.push.signals import JSON, PROTOBUF

from graphmind.errors import SettingsError
from graphmind.settings import Settings
from tests.loaders.push.posting import BODY_MAX, listening, post
from tests.loaders.push.sending import (
    connected,
    metrics,
    read_all,
    traces,
    until,
)
from tests.loaders.push.sinks import Keeping, Waiting


class TestConnections:
    @pytest.mark.parametrize(
        "garbage",
        [
            b"\x00\x01\x02 nonsense\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 100,
            b"GET / HTTP/1.1\r\n" + b"a: " + b"b" * 300_000,
            b"GET " + b"/" * 300_000,
        ],
    )
    def test_what_is_no_http_is_answered_and_closed(self, receiver, garbage):
        with connected(receiver.address) as connection:
            try:
                connection.sendall(garbage)
                answer = read_all(connection)
            except (ConnectionResetError, BrokenPipeError):
                answer = b""

        assert answer == b"" or answer.startswith(b"HTTP/1.1 400 ")
        assert post(receiver, traces()).status_code == 200

    def test_a_stalled_head_is_given_up_and_blocks_nobody(self):
        with (
            listening(Keeping(), head_within_s=0.3) as receiver,
            connected(receiver.address) as silent,
            connected(receiver.address) as slow,
        ):
            slow.sendall(b"POST /v1/traces HTTP/1.1\r\nhost:")

            assert post(receiver, traces()).status_code == 200
            assert (read_all(silent), read_all(slow)) == (b"", b"")

    def test_a_stalled_body_is_given_up_and_blocks_nobody(self):
        with (
            listening(Keeping(), body_within_s=0.3) as receiver,
            connected(receiver.address) as slow,
        ):
            head = f"POST /v1/traces HTTP/1.1\r\nhost: a\r\ncontent-type: {PROTOBUF}\r\n"
            slow.sendall(f"{head}content-length: 100\r\n\r\nhalf".encode())

            assert post(receiver, traces()).status_code == 200
            answer = read_all(slow)

        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"got 4 bytes" in answer

    def test_a_sender_that_hangs_up_is_forgotten(self):
        with listening(Keeping()) as receiver:
            with connected(receiver.address) as connection:
                head = f"POST /v1/traces HTTP/1.1\r\nhost: a\r\ncontent-type: {PROTOBUF}\r\n"
                connection.sendall(f"{head}content-length: 100\r\n\r\nhalf".encode())
            until(lambda: receiver.totals().requests == {("traces", "gone"): 1})

    def test_requests_on_one_connection_are_answered_in_order(self, receiver):
        head = f"POST /v1/traces HTTP/1.1\r\nhost: a\r\ncontent-type: {JSON}\r\n"
        one = f"{head}content-length: 2\r\n\r\n{{}}".encode()
        bad = f"{head}content-length: 2\r\n\r\n{{{{".encode()
        last = f"{head}connection: close\r\ncontent-length: 2\r\n\r\n{{}}".encode()
        with connected(receiver.address) as connection:
            connection.sendall(one + bad + last)
            answer = read_all(connection)

        starts = [part[:3] for part in answer.split(b"HTTP/1.1 ")[1:]]
        assert starts == [b"200", b"400", b"200"]

    def test_two_hundred_senders_at_once_are_all_answered(self, receiver, sink):
        body = traces(5)
        head = f"POST /v1/traces HTTP/1.1\r\nhost: a\r\ncontent-type: {PROTOBUF}\r\n"
        request = f"{head}connection: close\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body
        with ExitStack() as stack:
            senders = [stack.enter_context(connected(receiver.address)) for _ in range(200)]
            for half in (request[:100], request[100:]):
                for sender in senders:
                    sender.sendall(half)
            answers = [read_all(sender)[:13] for sender in senders]

        assert answers == [b"HTTP/1.1 200 "] * 200
        assert len(sink.rows) == 1000


class TestStopping:
    def test_requests_under_way_are_answered(self):
        sink = Waiting()
        receiver = otlp_http.listen(
            sink, Settings(otlp_http_port=0, otlp_body_max=BODY_MAX), host="127.0.0.1"
        )
        with ThreadPoolExecutor(10) as pool:
            body = traces()
            answers = [pool.submit(post, receiver, body) for _ in range(10)]
            until(lambda: receiver.held_bytes == 10 * len(body))
            stopping = Thread(target=receiver.stop)
            stopping.start()
            time.sleep(0.3)
            waiting = stopping.is_alive()
            sink.keep()
            stopping.join(10)

            assert (waiting, stopping.is_alive()) == (True, False)
            assert [answer.result().status_code for answer in answers] == [200] * 10
        with pytest.raises(OSError, match="refused"):
            connected(receiver.address)

    def test_a_stalled_sender_does_not_hold_it_up(self):
        with listening(Keeping()) as receiver:
            slow = connected(receiver.address)
            slow.sendall(b"POST /v1/traces HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n")
            slow.sendall(f"content-type: {PROTOBUF}\r\n\r\nx".encode())
            idle = connected(receiver.address)
            time.sleep(0.2)
            began_s = time.monotonic()

        assert time.monotonic() - began_s < 5
        slow.close()
        idle.close()


def test_a_port_in_use_is_named_with_what_to_do(receiver):
    port = int(receiver.address.rpartition(":")[2])

    with pytest.raises(SettingsError, match="set GRAPHMIND_OTLP_HTTP_PORT"):
        otlp_http.listen(Keeping(), Settings(otlp_http_port=port), host="127.0.0.1")


def test_what_was_answered_is_counted():
    with listening(Keeping()) as receiver:
        post(receiver, traces(3))
        post(receiver, metrics(), "/v1/metrics")
        post(receiver, b"\xff", "/v1/logs")
        post(receiver, b"", "/elsewhere")

        totals = receiver.totals()

    assert totals.requests == {
        ("traces", "accepted"): 1,
        ("metrics", "partial"): 1,
        ("logs", "bad_data"): 1,
        ("", "not_found"): 1,
    }
    assert totals.accepted == {"traces": 3, "metrics": 2}
    assert totals.rejected == {"traces": 0, "metrics": 2}
    assert totals.body_bytes == {"traces": len(traces(3)), "metrics": len(metrics())}


def test_many_refusals_of_one_kind_are_one_line_a_minute(caplog):
    with listening(Keeping()) as receiver:
        for _ in range(5):
            post(receiver, b"\xff")
            post(receiver, b"", "/elsewhere")

    lines = [record.getMessage() for record in caplog.records if "otlp_refused" in record.message]
    assert [line.split(" said=")[0] for line in lines] == [
        "otlp_refused transport=http where='/v1/traces' kind=bad_data count=1",
        "otlp_refused transport=http where='/elsewhere' kind=not_found count=1",
    ]
