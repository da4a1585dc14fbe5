"""A simulated platform as a live stream: what arrives in each half second."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from heapq import heappop, heappush, merge
from operator import itemgetter
from random import Random

from graphmind.simulation.otlp import HOLD_NS, Arrival, arrivals, request_line
from graphmind.simulation.run import Span
from graphmind.simulation.scenario import Scenario
from graphmind.simulation.simulate import simulate
from graphmind.simulation.window import Trace

TICK_NS = 500_000_000
RATE = 200
"""Jobs a second, as the issue of live detection asks."""
LATE = 0.0005
"""Share of spans that come half a minute late or more: a batch load may wait, a stream cannot."""
HANG_NS = 10_000_000_000
"""A call that runs longer hangs: the setting's default."""
MODEL_CALL = "InferenceRPC"
MARKED_NS = 1_000_000_000
"""A model call that is still open then is said to have begun, as ``graphmind_capture`` does."""
MARKER_LATE_S = (0.0, 0.7)
"""How much later the marker arrives: it is looked at every half second, and sent at once."""


@dataclass(frozen=True, kw_only=True)
class Tick:
    """What has arrived since the tick before."""

    after_ns: int
    """Since the stream began."""
    request: bytes
    """One ExportTraceServiceRequest as JSON; empty where nothing came."""


class Stream:
    """A simulation in the order in which its spans arrive, and when its faults first showed."""

    def __init__(self, scenario: Scenario, *, marking: float = 0.0) -> None:
        """Let a share of the traces send start markers of model calls: ``marking``, 0 to 1."""
        self.scenario = scenario
        self._marking = marking
        self._simulation = simulate(scenario)
        self.failing_ns: dict[int, int] = {}
        """By incident: since the beginning, when its first trace had failed; filled by ticks."""

    @property
    def right(self) -> frozenset[str]:
        """Names that the right cause names."""
        return frozenset(name for one in self._simulation.incidents for _, name in one.all_of)

    def ticks(self) -> Iterator[Tick]:
        """Yield the stream in ticks, until the last trace has ended."""
        begins_ns = self.scenario.start_ns
        ends_ns = begins_ns + round(self.scenario.minutes * 60e9)
        until_ns, batch = begins_ns + TICK_NS, list[Span]()
        ended, marked = arrivals(self._noted(), self.scenario), self._markers()
        for at_ns, span in merge(ended, marked, key=itemgetter(0)):
            while at_ns >= until_ns:
                yield Tick(after_ns=until_ns - begins_ns, request=_request(batch))
                batch.clear()
                until_ns += TICK_NS
            if until_ns > ends_ns:
                return
            batch.append(span)

    def _markers(self) -> Iterator[tuple[int, Span]]:
        """Yield when each start marker arrives, epoch ns, and the span as it was then."""
        chance = Random(f"{self.scenario.seed}/markers")
        waiting: list[Arrival] = []
        number = 0
        for trace in simulate(self.scenario).traces():
            for span in trace.spans if chance.random() < self._marking else ():
                if span.name == MODEL_CALL and _lasts(span, MARKED_NS):
                    number += 1
                    late_ns = round(chance.uniform(*MARKER_LATE_S) * 1e9)
                    heappush(waiting, (span.start_ns + MARKED_NS + late_ns, number, _begun(span)))
            while waiting and waiting[0][0] <= trace.spans[0].start_ns - HOLD_NS:
                yield heappop(waiting)[::2]
        while waiting:
            yield heappop(waiting)[::2]

    def _noted(self) -> Iterator[Trace]:
        """Pass traces on and note when those that a fault struck had failed."""
        for trace in self._simulation.traces():
            failed_ns = _failed_ns(trace)
            for number in trace.struck:
                first_ns = self.failing_ns.get(number, 2**63)
                since_ns = failed_ns - self.scenario.start_ns
                self.failing_ns[number] = min(first_ns, since_ns)
            yield trace


def scenario_of(seed: int, *, minutes: float, kinds: tuple[str, ...], start_ns: int) -> Scenario:
    """Return a stream of ``RATE`` jobs a second with an incident of each kind, or a quiet one."""
    return Scenario(
        seed=seed,
        traces=round(RATE * 60 * minutes),
        incidents=len(kinds),
        kinds=kinds or None,
        quiet=not kinds,
        minutes=minutes,
        late=LATE,
        start_ns=start_ns,
    )


def _failed_ns(trace: Trace) -> int:
    """Return when a trace had failed: a model call had passed its limit, or else it had ended."""
    hung = [each for each in trace.spans if each.name == MODEL_CALL and _lasts(each, HANG_NS)]
    if hung:
        return min(each.start_ns for each in hung) + HANG_NS
    ended_ns = trace.spans[0].end_ns
    assert ended_ns is not None, "only a model call hangs without end"
    return ended_ns


def _lasts(span: Span, ns: int) -> bool:
    return span.end_ns is None or span.end_ns - span.start_ns > ns


def _begun(span: Span) -> Span:
    """Return a span as it was before it ended: what it used and how it went is not known yet."""
    known = {key: each for key, each in span.attributes.items() if ".usage." not in key}
    return replace(
        span, end_ns=None, attributes=known, status=0, message="", exception="", raised_ns=None
    )


def _request(batch: list[Span]) -> bytes:
    return request_line(batch) if batch else b""
