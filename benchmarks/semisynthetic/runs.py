"""A recorded trace as it will be told: with attributes, failures and what follows them."""

from dataclasses import replace
from typing import Final

from benchmarks.semisynthetic.traces import Span, Trace

Item = tuple[str, str]
"""Kind and name, as graphmind calls it."""
FALLBACK: Final = "fallback"
MS_NS: Final = 1_000_000


class Run:
    """A recorded trace, and what was planted on it. A run fails at most once."""

    def __init__(self, trace: Trace) -> None:
        """Start as recorded."""
        self.trace = trace
        self.calls = [*trace.spans]
        self.attributes: dict[str, list[Item]] = {}
        """Span id -> items attached to that call."""
        self.codes: dict[str, str] = {}
        """Span id -> exception it ended with."""
        self.places: dict[Item, int] = {}
        """Item -> place of the first call that touches it."""
        for place, span in enumerate(trace.spans):
            self.places.setdefault(("instance", span.pod), place)

    @property
    def shape(self) -> str:
        """What kind of trace it is: the services that it calls."""
        return " ".join(sorted({span.service for span in self.trace.spans}))

    @property
    def failed(self) -> bool:
        """Whether any call failed."""
        return bool(self.codes)

    def carry(self, item: Item, place: int) -> None:
        """Attach an item to the call at a place, instead of one of its kind there."""
        own = self.attributes.setdefault(self.calls[place].span_id, [])
        for other in [each for each in own if each[0] == item[0]]:
            own.remove(other)
            self.places.pop(other)
        own.append(item)
        self.places[item] = place

    def fail(self, place: int, code: str, *, turns: bool) -> None:
        """Fail a call and all that wait for it; calls that began later are dropped."""
        failing = self.calls[place]
        by_id = {span.span_id: span for span in self.calls}
        waiting: Span | None = failing
        while waiting and waiting.span_id not in self.codes:
            self.codes[waiting.span_id] = code
            waiting = by_id.get(waiting.parent_id or "")
        self.calls = [
            span
            for span in self.calls
            if span.span_id in self.codes or span.start_ns <= failing.end_ns
        ]
        if turns:
            self._turn_to_fallback(failing)

    def _turn_to_fallback(self, failing: Span) -> None:
        root = self.calls[0]
        start_ns = max(failing.end_ns, failing.start_ns) + MS_NS
        fallback = replace(
            root,
            span_id=f"fa11{failing.span_id[4:]}",
            parent_id=root.span_id,
            name=FALLBACK,
            start_ns=start_ns,
            end_ns=start_ns + MS_NS,
        )
        self.calls.append(fallback)
        self.attributes[fallback.span_id] = [("tool", FALLBACK)]
