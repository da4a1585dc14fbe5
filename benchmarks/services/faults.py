"""Faults of one service or operation, acted out on the traces of a simulated window."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

from graphmind.simulation.run import Span
from graphmind.simulation.window import Trace
from graphmind.telemetry.spans import STATUS_ERROR

DELAY_NS = 300_000_000
"""Injected delays are of this order. Chosen."""

Break = Callable[["Fault", Trace, Random], Trace]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What breaks, how, and how often."""

    kind: str
    """A key of BREAKS."""
    service: str
    operation: str
    """Empty: all of the service."""
    share: float
    """Of the calls that meet it."""

    def __str__(self) -> str:
        return f"{self.kind} {self.service} {self.operation or '(all)'} {self.share:.0%}"

    def strikes(self, span: Span, random: Random) -> bool:
        """Whether this call meets the fault; draws for every call of the place."""
        here = span.process.service == self.service and self.operation in ("", span.name)
        return here and random.random() < self.share


def break_traces(fault: Fault, traces: Sequence[Trace], random: Random) -> Iterator[Trace]:
    """Act the fault out on every trace that meets it."""
    for trace in traces:
        yield BREAKS[fault.kind](fault, trace, random)


def _slow(fault: Fault, trace: Trace, random: Random) -> Trace:
    """Let struck calls end later; what comes after them starts later, too."""
    spans = [replace(span) for span in trace.spans]
    for span in sorted(spans, key=lambda each: each.start_ns, reverse=True):
        if span.end_ns is None or not fault.strikes(span, random):
            continue
        end_ns = span.end_ns
        for other in spans:
            if other.start_ns >= end_ns and other is not span:
                other.start_ns += DELAY_NS
            if other.end_ns is not None and other.end_ns >= end_ns:
                other.end_ns += DELAY_NS
    return replace(trace, spans=tuple(spans))


def _fail(fault: Fault, trace: Trace, random: Random) -> Trace:
    """Let the first struck call fail, and with it the trace."""
    struck = next((span for span in trace.spans if fault.strikes(span, random)), None)
    return trace if struck is None else _give_up(trace, struck, drop=frozenset())


def _silence(fault: Fault, trace: Trace, random: Random) -> Trace:
    """Let the first struck call of another service reach nobody: its caller fails."""
    by_id = {span.span_id: span for span in trace.spans}
    for span in trace.spans:
        caller = by_id.get(span.parent_span_id)
        entered = caller is not None and caller.process.service != span.process.service
        if caller is not None and entered and fault.strikes(span, random):
            return _give_up(trace, caller, drop=_below(trace.spans, span))
    return trace


def _give_up(trace: Trace, at: Span, *, drop: frozenset[str]) -> Trace:
    """Fail a span and all above it; nothing starts any more after it."""
    by_id = {span.span_id: span for span in trace.spans}
    failed, above = {at.span_id}, by_id.get(at.parent_span_id)
    while above is not None:
        failed.add(above.span_id)
        above = by_id.get(above.parent_span_id)
    until = at.end_ns if at.end_ns is not None else at.start_ns
    kept = [span for span in trace.spans if span.start_ns <= until and span.span_id not in drop]
    marked = [_failed(span, until) if span.span_id in failed else span for span in kept]
    return replace(trace, spans=tuple(marked), failed=True)


def _failed(span: Span, until_ns: int) -> Span:
    attributes = span.attributes | {"error.type": "internal"}
    return replace(
        span, end_ns=max(until_ns, span.start_ns), status=STATUS_ERROR, attributes=attributes
    )


def _below(spans: Sequence[Span], root: Span) -> frozenset[str]:
    """A span and all its descendants, which the simulator lists after it."""
    found = {root.span_id}
    for span in spans:
        if span.parent_span_id in found:
            found.add(span.span_id)
    return frozenset(found)


BREAKS: dict[str, Break] = {"slow": _slow, "fail": _fail, "silent": _silence}
