"""Runs as OTLP JSON, one request a line, in the words that instrumentations use."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import orjson

from benchmarks.semisynthetic.runs import Item, Run
from benchmarks.semisynthetic.traces import Span

RUNS: Final = 100
"""Runs of one request."""
NAMES: Final = {
    "region": "cloud.region",
    "model_version": "gen_ai.response.model",
    "kv_key": "graphmind.kv.key",
    "agent": "gen_ai.agent.name",
    "tool": "gen_ai.tool.name",
    "prompt_version": "graphmind.prompt.version",
}
"""Item kind -> attribute that says so."""
STATUS_ERROR: Final = 2


def request_lines(runs: Sequence[Run]) -> Iterator[bytes]:
    """Yield one ExportTraceServiceRequest a line."""
    for first in range(0, len(runs), RUNS):
        resources: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for run in runs[first : first + RUNS]:
            for span in run.calls:
                resources.setdefault((span.service, span.pod), []).append(_span(run, span))
        request = {
            "resourceSpans": [
                {
                    "resource": {
                        "attributes": [
                            _attribute("service.name", service),
                            _attribute("service.instance.id", pod),
                        ]
                    },
                    "scopeSpans": [{"spans": spans}],
                }
                for (service, pod), spans in resources.items()
            ]
        }
        yield orjson.dumps(request, option=orjson.OPT_APPEND_NEWLINE)


def _span(run: Run, span: Span) -> dict[str, Any]:
    encoded: dict[str, Any] = {
        "traceId": run.trace.trace_id,
        "spanId": span.span_id,
        "parentSpanId": span.parent_id or "",
        "name": span.name,
        "startTimeUnixNano": str(span.start_ns),
        "endTimeUnixNano": str(span.end_ns),
        "attributes": [
            each for item in run.attributes.get(span.span_id, ()) for each in _attributes(item)
        ],
    }
    if code := run.codes.get(span.span_id):
        encoded["status"] = {"code": STATUS_ERROR}
        encoded["events"] = [
            {
                "name": "exception",
                "timeUnixNano": str(span.end_ns),
                "attributes": [_attribute("exception.type", code)],
            }
        ]
    return encoded


def _attributes(item: Item) -> list[dict[str, Any]]:
    kind, name = item
    named = [_attribute(NAMES[kind], name)]
    return [*named, _attribute("graphmind.kv.op", "read")] if kind == "kv_key" else named


def _attribute(key: str, value: str) -> dict[str, Any]:
    return {"key": key, "value": {"stringValue": value}}
