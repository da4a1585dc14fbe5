"""A simulated platform as a live stream: what arrives in each half second."""

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.scoring import Planted
from graphmind.simulation.otlp import arrivals, request_line
from graphmind.simulation.run import Span
from graphmind.simulation.scenario import Scenario
from graphmind.simulation.simulate import Simulation, simulate
from graphmind.simulation.truth import Ledger

TICK_NS = 500_000_000
RATE = 200
"""Jobs a second, as the issue of live detection asks."""
LATE = 0.0005
"""Share of spans that come half a minute late or more: a batch load may wait, a stream cannot."""


@dataclass(frozen=True, kw_only=True)
class Tick:
    """What has arrived by a moment."""

    at_ns: int
    request: bytes
    """One ExportTraceServiceRequest as JSON; empty where nothing came."""
    spans: int


class Stream:
    """A simulation in the order in which its spans arrive, with the truth once it is over."""

    def __init__(self, scenario: Scenario) -> None:
        self.simulation: Simulation = simulate(scenario)
        self._ledger = Ledger(self.simulation)

    def ticks(self) -> Iterator[Tick]:
        """Yield the stream in ticks; the last spans, which come minutes late, close it."""
        scenario = self.simulation.scenario
        until_ns = scenario.start_ns + TICK_NS
        batch: list[Span] = []
        for at_ns, span in arrivals(self._ledger.note(self.simulation.traces()), scenario):
            while at_ns >= until_ns:
                yield _tick(until_ns, batch)
                batch.clear()
                until_ns += TICK_NS
            batch.append(span)
        yield _tick(until_ns, batch)

    def truth(self) -> list[dict[str, object]]:
        """Return what was planted; complete once all ticks have gone by."""
        incidents: list[dict[str, object]] = self._ledger.truth()["incidents"]
        return incidents


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


def _tick(at_ns: int, batch: list[Span]) -> Tick:
    return Tick(at_ns=at_ns, request=request_line(batch) if batch else b"", spans=len(batch))


__all__ = ["Planted", "Stream", "Tick", "scenario_of"]
