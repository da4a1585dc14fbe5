"""A simulated platform as a live stream: what arrives in each half second."""

from collections.abc import Iterator
from dataclasses import dataclass

from graphmind.simulation.otlp import arrivals, request_line
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


@dataclass(frozen=True, kw_only=True)
class Tick:
    """What has arrived since the tick before."""

    after_ns: int
    """Since the stream began."""
    request: bytes
    """One ExportTraceServiceRequest as JSON; empty where nothing came."""


class Stream:
    """A simulation in the order in which its spans arrive, and when its faults first showed."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
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
        for at_ns, span in arrivals(self._noted(), self.scenario):
            while at_ns >= until_ns:
                yield Tick(after_ns=until_ns - begins_ns, request=_request(batch))
                batch.clear()
                until_ns += TICK_NS
            if until_ns > ends_ns:
                return
            batch.append(span)

    def _noted(self) -> Iterator[Trace]:
        """Pass traces on and note when those that a fault struck had failed."""
        for trace in self._simulation.traces():
            ended_ns = trace.spans[0].end_ns
            failed_ns = trace.spans[0].start_ns + HANG_NS if ended_ns is None else ended_ns
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


def _request(batch: list[Span]) -> bytes:
    return request_line(batch) if batch else b""
