"""Each MUST of OTLP/HTTP (specification 1.10), and what senders do wrong."""

import gzip
import json
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from google.rpc.error_details_pb2 import (
    BadRequest,
    RetryInfo,
)
from google.rpc.status_pb2 import Status
from graphmind_loaders.push.signals import JSON, PROTOBUF
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from tests.loaders.push.posting import BODY_MAX, listening, message, post
from tests.loaders.push.sending import (
    NOW_NS,
    SPAN_ID,
    TRACE_ID,
    connected,
    json_traces,
    logs,
    metrics,
    read_all,
    traces,
    until,
)
from tests.loaders.push.sinks import Broken, Failing, Full, Keeping, Waiting

PATHS = ("/v1/traces", "/v1/logs", "/v1/metrics")


class TestSuccess:
    def test_spans_are_stored_and_the_answer_is_empty(self, receiver, sink):
        response = post(receiver, traces(2))

        assert (response.status_code, response.content) == (200, b"")
        assert response.headers["content-type"] == PROTOBUF
        assert [row["span_id"] for row in sink.rows] == [SPAN_ID, "eee19b7ec3c1b175"]

    def test_json_is_answered_as_json(self, receiver, sink):
        response = post(receiver, json_traces(), content_type="Application/JSON; charset=utf-8")

        assert (response.status_code, response.json()) == (200, {})
        assert response.headers["content-type"] == JSON
        [row] = sink.rows
        assert (row["trace_id"], row["start_ns"], row["end_ns"]) == (TRACE_ID, NOW_NS, NOW_NS + 1)

    @pytest.mark.parametrize("path", PATHS)
    @pytest.mark.parametrize(("content_type", "body"), [(PROTOBUF, b""), (JSON, b"{}")])
    def test_an_empty_request_succeeds(self, receiver, sink, path, content_type, body):
        response = post(receiver, body, path, content_type)

        assert (response.status_code, response.content) == (200, body)
        assert sink.batches == []

    @pytest.mark.parametrize(
        "encode", [gzip.compress, lambda b: gzip.compress(b[:9]) + gzip.compress(b[9:])]
    )
    def test_gzip_is_unpacked(self, receiver, sink, encode):
        response = post(receiver, encode(traces(3)), content_encoding="gzip")

        assert response.status_code == 200
        assert len(sink.rows) == 3

    def test_gzip_of_nothing_is_an_empty_request(self, receiver):
        assert post(receiver, gzip.compress(b""), content_encoding="gzip").status_code == 200

    def test_identity_is_a_content_encoding(self, receiver):
        assert post(receiver, traces(), content_encoding="identity").status_code == 200

    def test_a_chunked_body_is_taken(self, receiver, sink):
        body = traces(50)
        parts = (body[at : at + 100] for at in range(0, len(body), 100))

        response = post(receiver, parts)

        assert response.status_code == 200
        assert len(sink.rows) == 50

    def test_logs_are_stored(self, receiver, sink):
        record = {"body": {"stringValue": "x"}, "timeUnixNano": "5", "traceId": TRACE_ID.upper()}
        body = json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]})

        assert post(receiver, logs(), "/v1/logs").status_code == 200
        assert post(receiver, body.encode(), "/v1/logs", JSON).json() == {}

        found = [(row["body"], row["time_ns"], row["trace_id"]) for row in sink.rows]
        assert found == [("line 0", NOW_NS, None), ("x", 5, TRACE_ID)]

    def test_unknown_fields_are_ignored(self, receiver, sink):
        response = post(receiver, json_traces(flags=256, novel={"a": [1]}), content_type=JSON)

        assert response.json() == {}
        assert len(sink.rows) == 1

    def test_the_answer_waits_until_all_is_durable(self):
        sink = Waiting()
        with listening(sink) as receiver, ThreadPoolExecutor(1) as pool:
            answer = pool.submit(post, receiver, traces())
            until(lambda: len(sink.futures) == 1)
            time.sleep(0.2)
            early = answer.done()
            sink.keep()

            assert (early, answer.result().status_code) == (False, 200)


class TestPartialSuccess:
    def test_spans_of_the_future_are_counted_as_rejected(self, receiver, sink):
        ahead = traces(2, start_ns=NOW_NS + 10 * 86_400 * 10**9)

        response = post(receiver, traces(1) + ahead)

        partial = ExportTraceServiceResponse.FromString(response.content).partial_success
        assert (response.status_code, partial.rejected_spans) == (200, 2)
        assert partial.error_message.startswith("2 x span starts in the future (such as trace_id=")
        assert len(sink.rows) == 1

    @pytest.mark.parametrize(
        "span",
        [{"traceId": "xyz"}, {"spanId": "00"}, {"kind": {}}, {"attributes": [3]}, {"name": 1}],
    )
    def test_json_records_of_another_shape_are_counted(self, receiver, sink, span):
        good, bad = json.loads(json_traces()), json.loads(json_traces(**span))
        good["resourceSpans"] += bad["resourceSpans"]

        response = post(receiver, json.dumps(good).encode(), content_type=JSON)

        partial = response.json()["partialSuccess"]
        assert (response.status_code, partial["rejectedSpans"]) == (200, "1")
        assert "record of another shape" in partial["errorMessage"]
        assert len(sink.rows) == 1

    def test_a_value_cut_is_a_warning(self, receiver, sink):
        long = {"key": "k", "value": {"stringValue": "v" * 70_000}}

        partial = post(receiver, json_traces(attributes=[long]), content_type=JSON).json()

        assert partial["partialSuccess"]["rejectedSpans"] == "0"
        assert "cut to 65536 characters" in partial["partialSuccess"]["errorMessage"]
        assert len(sink.rows) == 1

    def test_histograms_are_counted_as_rejected(self, receiver, sink):
        response = post(receiver, metrics(), "/v1/metrics")

        # The answers of the three signals have the same field numbers.
        partial = ExportTraceServiceResponse.FromString(response.content).partial_success
        assert partial.rejected_spans == 2
        assert "neither a gauge nor a sum" in partial.error_message
        labels = [("agent", "a1"), ("service.name", "shop")]
        plain = {"name": "retries", "time_ns": 5, "value": 3.0, "labels": labels, "trace_id": None}
        assert sink.rows == [plain, plain | {"time_ns": 4, "value": 1.5, "trace_id": TRACE_ID}]

    def test_metrics_as_json_make_the_same_samples(self, receiver, sink):
        exemplar = {"timeUnixNano": "4", "asDouble": 1.5, "traceId": TRACE_ID.upper()}
        own = [{"key": "agent", "value": {"stringValue": "a1"}}]
        point = {"timeUnixNano": 5, "asInt": "3", "attributes": own, "exemplars": [exemplar]}
        found = [
            {"name": "retries", "gauge": {"dataPoints": [point, {"asDouble": "NaN"}, 7]}},
            {"name": "latency", "histogram": {"dataPoints": [{}, {}]}},
            {"unit": "s"},
        ]
        resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}
        group = {"resource": resource, "scopeMetrics": [{"metrics": found}]}

        post(receiver, metrics(), "/v1/metrics")
        response = post(
            receiver, json.dumps({"resourceMetrics": [group]}).encode(), "/v1/metrics", JSON
        )

        assert response.json()["partialSuccess"]["rejectedDataPoints"] == "5"
        assert sink.rows[:2] == sink.rows[2:]


class TestStartMarkers:
    def test_a_marked_span_has_not_ended(self, receiver, sink):
        mark = {"key": "graphmind.start_marker", "value": {"boolValue": True}}
        other = {"key": "a", "value": {"intValue": "3"}}

        post(receiver, json_traces(attributes=[mark, other]), content_type=JSON)

        [row] = sink.rows
        assert (row["end_ns"], row["attributes"]) == (None, [("a", "3")])

    def test_a_log_record_of_the_start_event_is_a_span_that_has_not_ended(self, receiver, sink):
        def pair(key, value):
            return {"key": key, "value": {"stringValue": value}}

        own = [
            pair("graphmind.span.name", "chat"),
            pair("graphmind.span.parent_id", "AB54A98CEB1F0000"),
            pair("graphmind.span.kind", "CLIENT"),
            pair("gen_ai.request.model", "m"),
        ]
        shared = {"timeUnixNano": "5", "traceId": TRACE_ID, "spanId": SPAN_ID}
        records = [
            shared | {"eventName": "graphmind.span.start", "attributes": own},
            shared | {"attributes": [*own, pair("event.name", "graphmind.span.start")]},
            {"timeUnixNano": "5", "eventName": "graphmind.span.start"},
        ]
        body = json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]})

        assert post(receiver, body.encode(), "/v1/logs", JSON).json() == {}

        first, second, log = sink.rows
        assert first == second
        assert log["event_name"] == "graphmind.span.start"
        assert (first["name"], first["kind"], first["start_ns"], first["end_ns"]) == (
            *("chat", 3, 5),
            None,
        )
        assert first["parent_span_id"] == "ab54a98ceb1f0000"
        assert first["attributes"] == [("gen_ai.request.model", "m")]


class TestRefusals:
    @pytest.mark.parametrize("path", PATHS)
    @pytest.mark.parametrize(
        ("content_type", "body"),
        [(PROTOBUF, b"\xff\xff"), (PROTOBUF, traces()[:-3]), (JSON, b"{"), (JSON, b""),
         (JSON, b"[]"), (JSON, b"\xff"), (JSON, b"[" * 50_000), (PROTOBUF, b"{}")],
        ids=["noise", "cut", "open", "empty", "list", "no-utf8", "deep", "json"],
    )  # fmt: skip
    def test_what_does_not_decode_is_bad_data(self, receiver, path, content_type, body):
        response = post(receiver, body, path, content_type)

        assert response.status_code == 400
        assert response.headers["content-type"] == content_type
        assert "expected an OTLP" in message(response)
        assert response.elapsed.total_seconds() < 3

    def test_bad_data_is_detailed(self, receiver):
        status = Status.FromString(post(receiver, b"\xff").content)

        detail = BadRequest()
        assert status.details[0].Unpack(detail)
        assert detail.field_violations[0].description == status.message

    @pytest.mark.parametrize(
        "body",
        [b"", b"no gzip", gzip.compress(traces())[:-9], b"\x1f\x8b"],
        ids=["none", "no-gzip", "cut", "empty"],
    )
    def test_broken_gzip_is_bad_data(self, receiver, body):
        response = post(receiver, body, content_encoding="gzip")

        assert response.status_code == 400
        assert "packed with gzip" in message(response)

    @pytest.mark.parametrize("path", ["/", "/v1/trace", "/v1/traces/", "/v1development/profiles"])
    def test_another_path_is_not_found(self, receiver, path):
        response = post(receiver, b"{}", path, JSON)

        assert response.status_code == 404
        assert "expected one of /v1/traces, /v1/logs, /v1/metrics" in message(response)

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
    def test_another_method_is_refused(self, receiver, method):
        response = httpx.request(method, f"http://{receiver.address}/v1/traces")

        assert (response.status_code, response.headers["allow"]) == (405, "POST")
        assert message(response) == f"expected POST, got {method}"

    @pytest.mark.parametrize("content_type", ["", "text/plain", "application/xml"])
    def test_another_content_type_is_refused(self, receiver, content_type):
        response = post(receiver, b"{}", content_type=content_type)

        assert (response.status_code, response.headers["content-type"]) == (415, JSON)
        assert "expected Content-Type application/x-protobuf" in message(response)

    @pytest.mark.parametrize("encoding", ["zstd", "br", "gzip, gzip"])
    def test_another_encoding_is_refused(self, receiver, encoding):
        response = post(receiver, traces(), content_encoding=encoding)

        assert response.status_code == 415
        assert "expected Content-Encoding gzip, deflate or none" in message(response)


class TestSize:
    def test_a_body_of_the_limit_is_taken(self, receiver, sink):
        body = traces(name="n" * 99_850)
        body = traces(name="n" * (99_850 + BODY_MAX - len(body)))

        assert (len(body), post(receiver, body).status_code) == (BODY_MAX, 200)

    @pytest.mark.parametrize("surplus", [1, BODY_MAX])
    def test_a_larger_body_is_refused(self, receiver, sink, surplus):
        response = post(receiver, b"x" * (BODY_MAX + surplus))

        assert response.status_code == 413
        assert f"at most {BODY_MAX} bytes" in message(response)

    def test_a_larger_chunked_body_is_refused(self, receiver):
        response = post(receiver, (b"x" * 1000 for _ in range(150)))

        assert response.status_code == 413

    def test_a_body_without_end_is_cut_off(self, receiver):
        with connected(receiver.address) as connection:
            head = "POST /v1/traces HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n"
            connection.sendall(f"{head}content-type: {PROTOBUF}\r\n\r\n".encode())
            chunk = b"%x\r\n%b\r\n" % (10_000, b"x" * 10_000)
            with pytest.raises((ConnectionResetError, BrokenPipeError)):  # noqa: PT012
                for _ in range(10_000):
                    connection.sendall(chunk)

    def test_a_small_body_that_unpacks_to_more_is_refused(self, receiver, sink):
        bomb = gzip.compress(traces(name="n" * 10 * BODY_MAX))
        assert len(bomb) < BODY_MAX / 10

        response = post(receiver, bomb, content_encoding="gzip")

        assert response.status_code == 413
        assert "unpack to more" in message(response)
        assert sink.batches == []

    def test_who_asks_before_sending_is_told_at_once(self, receiver):
        with connected(receiver.address) as connection:
            head = "POST /v1/traces HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\n"
            size = f"content-length: {BODY_MAX + 1}\r\ncontent-type: {PROTOBUF}\r\n\r\n"
            connection.sendall((head + size).encode())

            answer = read_all(connection)

        assert answer.startswith(b"HTTP/1.1 413 ")

    def test_requests_that_hold_too_much_together_are_told_to_come_again(self):
        sink = Waiting()
        body = traces(name="n" * 80_000)
        with listening(sink) as receiver, ThreadPoolExecutor(6) as pool:
            held = [pool.submit(post, receiver, body) for _ in range(4)]
            until(lambda: receiver.held_bytes >= 4 * len(body))
            response = post(receiver, body)
            sink.keep()

            assert [answer.result().status_code for answer in held] == [200] * 4
            assert (response.status_code, response.headers["retry-after"]) == (503, "1")
            assert post(receiver, b"").status_code == 200


class TestThrottling:
    def test_a_full_queue_says_when_to_come_again(self):
        with listening(Full()) as receiver:
            response = post(receiver, traces())
            told = post(receiver, json_traces(), content_type=JSON)

        assert (response.status_code, response.headers["retry-after"]) == (503, "3")
        status = Status.FromString(response.content)
        detail = RetryInfo()
        assert status.details[0].Unpack(detail)
        assert detail.retry_delay.ToMilliseconds() == 2500
        assert told.json()["details"][0]["retryDelay"] == "2.500s"

    def test_a_store_that_fails_may_be_tried_again(self):
        with listening(Failing()) as receiver:
            response = post(receiver, traces())

        assert (response.status_code, response.headers["retry-after"]) == (503, "5")
        assert "the disk is full" in message(response)

    def test_a_bug_is_logged_and_not_told(self, caplog):
        with listening(Broken()) as receiver:
            response = post(receiver, traces())

        assert response.status_code == 500
        assert "secret" not in message(response)
        assert "ZeroDivisionError" in caplog.text


class TestToken:
    @pytest.mark.parametrize(
        "shown", [None, "Bearer wrong", "Basic s3cret", "s3cret", "Bearer x", "Bearer é"]
    )
    def test_without_the_token_nothing_is_taken(self, shown, caplog):
        sink = Keeping()
        headers = {} if shown is None else {"authorization": shown.encode()}
        with listening(sink, token="s3cret") as receiver:
            response = post(receiver, traces(), **headers)

        assert (response.status_code, sink.batches) == (401, [])
        assert response.headers["www-authenticate"].startswith("Bearer")
        assert "s3cret" not in message(response) + caplog.text
        assert "wrong" not in caplog.text

    @pytest.mark.parametrize("shown", ["Bearer s3cret", "bearer s3cret"])
    def test_with_the_token_it_is(self, shown):
        with listening(Keeping(), token="s3cret") as receiver:
            assert post(receiver, traces(), authorization=shown).status_code == 200
