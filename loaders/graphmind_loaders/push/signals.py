"""The three signals of OTLP: how a request of each is decoded, and how it is answered."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

from graphmind.telemetry.rejections import Rejections
from graphmind_loaders import otlp_json, otlp_json_logs, otlp_metrics
from graphmind_loaders.columns import CUT
from graphmind_loaders.otlp_arrow import decode_logs, decode_spans
from graphmind_loaders.records import MISSHAPEN

PROTOBUF, JSON = "application/x-protobuf", "application/json"

_Decode = Callable[[bytes, Rejections], list[pa.RecordBatch]]


@dataclass(frozen=True, kw_only=True)
class Signal:
    """One kind of request; decoding raises SourceError and counts what it leaves out."""

    name: str
    """As the path has it: traces, logs, metrics."""
    service: str
    """Of gRPC, with the method Export."""
    response: Any
    """Message class of the answer."""
    rejected_field: str
    """Of its partial success: how many records were left out."""
    decoders: dict[str, _Decode]
    """By content type."""

    def answer(self, content_type: str, rejected: Rejections) -> bytes:
        """Write the answer to a request that was taken, as far as it could be."""
        count, message = rejected_records(rejected), said(rejected)
        if content_type == JSON:
            return _json_answer(_camel(self.rejected_field), count, message)
        response = self.response()
        if message:
            setattr(response.partial_success, self.rejected_field, count)
            response.partial_success.error_message = message
        return bytes(response.SerializeToString())


def _json_answer(field: str, count: int, message: str) -> bytes:
    partial = {field: str(count), "errorMessage": message}
    return msgspec.json.encode({"partialSuccess": partial} if message else {})


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def rejected_records(rejected: Rejections) -> int:
    """Return how many records were left out; one whose value was cut was not."""
    return sum(count for reason, count in rejected.counts.items() if reason != CUT)


def said(rejected: Rejections) -> str:
    """Say what was left out and why, in one line; empty where nothing was."""
    return "; ".join(
        f"{row['count']} x {row['reason']}" + (f" (such as {samples[0]})" if samples else "")
        for row in rejected.rows()
        if isinstance(samples := row["samples"], list)
    )


def _proto_spans(body: bytes, rejected: Rejections) -> list[pa.RecordBatch]:
    return [decode_spans(body, rejected)]


def _json_spans(body: bytes, rejected: Rejections) -> list[pa.RecordBatch]:
    return list(_sound(otlp_json.decode(body, rejected), rejected))


def _sound(batches: Iterator[pa.RecordBatch], rejected: Rejections) -> Iterator[pa.RecordBatch]:
    """Leave out spans whose ids are no hex of their length; absent ids are for ``sift``."""
    for batch in batches:
        sound = pc.and_(
            _is_id(batch.column("trace_id"), digits=32), _is_id(batch.column("span_id"), digits=16)
        )
        for row in batch.filter(pc.invert(sound)).select(["trace_id", "span_id"]).to_pylist():
            rejected.add(MISSHAPEN, f"ids in hex expected, got {row['trace_id']} {row['span_id']}")
        yield batch.filter(sound)


def _is_id(ids: pa.Array, *, digits: int) -> pa.Array:
    return pc.fill_null(pc.match_substring_regex(ids, f"^[0-9a-f]{{{digits}}}$"), True)


def _proto_logs(body: bytes, rejected: Rejections) -> list[pa.RecordBatch]:
    return [decode_logs(body, rejected)]


def _json_logs(body: bytes, rejected: Rejections) -> list[pa.RecordBatch]:
    return [otlp_json_logs.decode(body, rejected)]


def _proto_metrics(body: bytes, rejected: Rejections) -> list[pa.RecordBatch]:
    return [otlp_metrics.decode_proto(body, rejected)]


def _json_metrics(body: bytes, rejected: Rejections) -> list[pa.RecordBatch]:
    return [otlp_metrics.decode_json(body, rejected)]


_COLLECTOR = "opentelemetry.proto.collector"
SIGNALS = (
    Signal(
        name="traces",
        service=f"{_COLLECTOR}.trace.v1.TraceService",
        response=trace_service_pb2.ExportTraceServiceResponse,
        rejected_field="rejected_spans",
        decoders={PROTOBUF: _proto_spans, JSON: _json_spans},
    ),
    Signal(
        name="logs",
        service=f"{_COLLECTOR}.logs.v1.LogsService",
        response=logs_service_pb2.ExportLogsServiceResponse,
        rejected_field="rejected_log_records",
        decoders={PROTOBUF: _proto_logs, JSON: _json_logs},
    ),
    Signal(
        name="metrics",
        service=f"{_COLLECTOR}.metrics.v1.MetricsService",
        response=metrics_service_pb2.ExportMetricsServiceResponse,
        rejected_field="rejected_data_points",
        decoders={PROTOBUF: _proto_metrics, JSON: _json_metrics},
    ),
)
