"""Langfuse exports: a trace with its observations, or observations alone.

Each observation is a span. What Langfuse names itself is named as OpenTelemetry names it; the
attributes, resource and scope that reached Langfuse through OpenTelemetry are taken as they were.
"""

import json
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

import msgspec
import pyarrow as pa

from graphmind.telemetry.rejections import Rejections
from graphmind_loaders.records import NOT_TRACES, each, read_as, read_records, sample
from graphmind_loaders.shape import Path, key_paths
from graphmind_loaders.span import Span
from graphmind_loaders.values import iso_ns, text_of, texts_of

name = "langfuse"


class _Trace(msgspec.Struct, frozen=True, rename="camel"):
    name: str | None = None
    user_id: str | None = None
    session_id: str | None = None
    release: str | None = None
    version: str | None = None


class _Observation(msgspec.Struct, frozen=True, rename="camel"):
    id: str | None = None
    trace_id: str | None = None
    parent_observation_id: str | None = None
    type: str = "SPAN"
    name: str | None = None
    start_time: str | None = None
    end_time: str | None = None
    level: str | None = None
    status_message: str | None = None
    environment: str | None = None
    version: str | None = None
    model: str | None = None
    prompt_name: str | None = None
    prompt_version: int | str | None = None
    input: Any = None
    output: Any = None
    usage_details: dict[str, Any] | None = None
    metadata: Any = None


class _Metadata(msgspec.Struct, frozen=True, rename="camel"):
    attributes: dict[str, Any] = {}
    resource_attributes: dict[str, Any] = {}
    scope: dict[str, Any] = {}


class _Record(NamedTuple):
    observation: Any
    trace: _Trace


_SIGNATURES: tuple[Path, ...] = (
    ("observations", "traceId"),
    ("trace", "observations"),
    ("trace", "projectId"),
    ("parentObservationId",),
    ("data", "parentObservationId"),
)


def recognises(head: bytes) -> bool:
    """Whether the head of a file is a Langfuse export."""
    return not key_paths(head).isdisjoint(_SIGNATURES)


def read(stream: BinaryIO, rejected: Rejections) -> Iterator[pa.RecordBatch]:
    """Yield batches of spans."""
    return read_records(
        stream, rejected, is_record=_is_record, records_of=_records, span_of=_span_of
    )


def _is_record(path: Path) -> bool:
    return path == () or path[-1:] in {("observations",), ("data",)}


def _records(document: Any, rejected: Rejections) -> Iterator[_Record]:
    for value in each(document):
        page = value.get("data") if isinstance(value, dict) else None
        for item in each(page if isinstance(page, list) else value):
            if isinstance(item, dict) and "traceId" in item:
                yield _Record(item, _Trace())
            else:
                yield from _of_trace(item, rejected)


def _of_trace(value: Any, rejected: Rejections) -> Iterator[_Record]:
    """Yield a trace's observations, which stand beside the trace or within it."""
    inner = value.get("trace", value) if isinstance(value, dict) else None
    holders = (holder for holder in (value, inner) if isinstance(holder, dict))
    found = (holder["observations"] for holder in holders if "observations" in holder)
    observations = next(found, None)
    if not isinstance(observations, list):
        rejected.add(NOT_TRACES, sample(value))
        return
    trace = read_as(inner, _Trace, rejected) or _Trace()
    for observation in observations:
        yield _Record(observation, trace)


def _span_of(record: _Record) -> Span:
    observation = msgspec.convert(record.observation, _Observation, strict=False)
    metadata, rest = _metadata(observation.metadata)
    named = _named(observation, record.trace) | {"metadata": rest or None}
    failed = observation.level == "ERROR"
    start_ns = iso_ns(observation.start_time) if observation.start_time else None
    end_ns = iso_ns(observation.end_time) if observation.end_time else None
    return Span(
        observation.trace_id,
        observation.id,
        observation.parent_observation_id,
        observation.name,
        start_ns,
        # An event is a moment, not a span that has not ended.
        start_ns if observation.type == "EVENT" else end_ns,
        {key: text_of(value) for key, value in named.items() if value is not None}
        | texts_of(metadata.attributes),
        texts_of(metadata.resource_attributes),
        status=2 if failed else 0,
        status_message=observation.status_message,
        scope=text_of(metadata.scope.get("name")),
    )


def _metadata(value: Any) -> tuple[_Metadata, dict[str, Any]]:
    """Split metadata, which may be JSON text, into what OpenTelemetry sent and the rest."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return _Metadata(), {"text": value}
    if not isinstance(value, dict):
        return _Metadata(), {"text": value} if value else {}
    sent = {key: value[key] for key in _SENT if isinstance(value.get(key), dict)}
    return msgspec.convert(sent, _Metadata), {k: v for k, v in value.items() if k not in sent}


_SENT = ("attributes", "resourceAttributes", "scope")

_OPERATIONS = {
    "AGENT": "invoke_agent",
    "TOOL": "execute_tool",
    "GENERATION": "chat",
    "EMBEDDING": "embeddings",
    "RETRIEVER": "retrieval",
}


def _named(observation: _Observation, trace: _Trace) -> dict[str, Any]:
    usage = observation.usage_details or {}
    kind = observation.type
    return {
        "gen_ai.operation.name": _OPERATIONS.get(kind),
        "gen_ai.agent.name": observation.name if kind == "AGENT" else None,
        "gen_ai.tool.name": observation.name if kind == "TOOL" else None,
        "gen_ai.request.model": observation.model,
        "gen_ai.prompt.name": observation.prompt_name,
        "gen_ai.prompt.version": observation.prompt_version,
        "gen_ai.usage.input_tokens": usage.get("input"),
        "gen_ai.usage.output_tokens": usage.get("output"),
        "deployment.environment.name": observation.environment,
        "session.id": trace.session_id,
        "user.id": trace.user_id,
        "langfuse.trace.name": trace.name,
        "langfuse.release": trace.release,
        "langfuse.version": observation.version or trace.version,
        "langfuse.observation.type": kind.lower(),
        "langfuse.observation.level": observation.level,
        "input.value": observation.input,
        "output.value": observation.output,
    }
