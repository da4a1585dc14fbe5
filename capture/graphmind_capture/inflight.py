"""Calls under way: gauges that show a hang while it lasts."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind

from graphmind_capture import attributes as names

GROUPS_MAX: Final = 1_000
"""Label sets at most; the rest is counted under empty labels (chosen)."""


@dataclass(frozen=True, kw_only=True)
class InFlight:
    """Open calls of one agent, module and model version."""

    agent: str
    module: str
    model_version: str
    calls: int
    oldest_s: float


def calls_a_model(span: ReadableSpan) -> bool:
    """Whether a span calls a model, as far as it says so yet."""
    said = span.attributes or {}
    return any(name in said for name in names.MODEL_VERSION) or (
        span.kind is SpanKind.CLIENT and span.name.startswith("chat ")
    )


def grouped(spans: Iterable[tuple[ReadableSpan, float]], default_agent: str) -> list[InFlight]:
    """Count open spans, given with their ages in seconds, by their labels."""
    groups: dict[tuple[str, str, str], list[float]] = {}
    for span, age_s in spans:
        said = span.attributes or {}
        labels = (
            str(said.get(names.AGENT, default_agent)),
            _first(said, names.MODULE) or span.name,
            _first(said, names.MODEL_VERSION),
        )
        if labels not in groups and len(groups) >= GROUPS_MAX:
            labels = ("", "", "")
        groups.setdefault(labels, []).append(age_s)
    return [
        InFlight(
            agent=labels[0],
            module=labels[1],
            model_version=labels[2],
            calls=len(ages),
            oldest_s=max(ages),
        )
        for labels, ages in sorted(groups.items())
    ]


def _first(said: Mapping[str, Any], wanted: tuple[str, ...]) -> str:
    return next((str(said[name]) for name in wanted if name in said), "")


def prometheus_text(service: str, inflight: list[InFlight], counts: Mapping[str, int]) -> str:
    """Write the gauges and counters in Prometheus' text format."""
    own = f'service="{_escaped(service)}"'
    lines = ["# TYPE graphmind_inflight_calls gauge"]
    lines += [f"graphmind_inflight_calls{{{_labels(own, g)}}} {g.calls}" for g in inflight]
    lines += ["# TYPE graphmind_inflight_oldest_seconds gauge"]
    lines += [
        f"graphmind_inflight_oldest_seconds{{{_labels(own, g)}}} {g.oldest_s:.3f}" for g in inflight
    ]
    lines += ["# TYPE otel_span_total counter", f"otel_span_total{{{own}}} {counts['spans']}"]
    lines += ["# TYPE span_dropped_total counter"]
    for reason in ("queue", "export", "shutdown"):
        dropped = counts[f"dropped_{reason}"]
        lines.append(f'span_dropped_total{{{own},reason="{reason}"}} {dropped}')
    for name in ("exported", "sampled_out", "folded_away", "markers", "overflowed", "failures"):
        lines += [f"# TYPE graphmind_capture_{name}_total counter"]
        lines += [f"graphmind_capture_{name}_total{{{own}}} {counts[name]}"]
    return "\n".join(lines) + "\n"


def _labels(own: str, group: InFlight) -> str:
    return (
        f'{own},agent="{_escaped(group.agent)}",module="{_escaped(group.module)}",'
        f'model_version="{_escaped(group.model_version)}"'
    )


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


Asgi = Callable[[Any, Any, Any], Awaitable[None]]


def metrics_app(text: Callable[[], str]) -> Asgi:
    """Return an ASGI application that answers with the text; mount it at `/metrics`."""

    async def app(scope: Any, _receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        headers = [(b"content-type", b"text/plain; version=0.0.4; charset=utf-8")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": text().encode()})

    return app
