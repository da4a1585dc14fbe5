"""A simulated stream, settled and watched by a clock of the test's own."""

import io
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from graphmind_loaders import otlp_json

from graphmind.archive.duck import DuckArchive
from graphmind.jobs.load import store_spans
from graphmind.serving.settling import BACKLOG_MAX, TRACES_MAX, Settled, Settler
from graphmind.settings import Settings
from graphmind.simulation.otlp import arrivals, request_line
from graphmind.simulation.run import Span
from graphmind.simulation.scenario import Scenario
from graphmind.simulation.simulate import simulate
from graphmind.telemetry.rejections import Rejections
from graphmind.telemetry.resolver_table import default_table

TICK_NS = 1_000_000_000
START_NS = 1_772_442_000 * 10**9


@dataclass
class Clock:
    """A clock that the test moves."""

    ns: int = START_NS

    def __call__(self) -> int:
        return self.ns

    @property
    def ms(self) -> int:
        return self.ns // 1_000_000


@dataclass
class Live:
    """An archive in memory with a settler over it."""

    settings: Settings = field(default_factory=Settings)
    clock: Clock = field(default_factory=Clock)
    archive: DuckArchive = field(default_factory=lambda: DuckArchive(None))
    traces_max: int = TRACES_MAX
    backlog_max: int = BACKLOG_MAX

    def __post_init__(self) -> None:
        self.settler = Settler(
            self.archive,
            self.settings,
            now_ns=self.clock,
            chance=random.Random(1),
            traces_max=self.traces_max,
            backlog_max=self.backlog_max,
        )

    def arrive(self, request: bytes) -> None:
        batches = list(otlp_json.read(io.BytesIO(request), Rejections()))
        if batches:
            store_spans(batches, self.archive, table=default_table(), now_ms=self.clock.ms)

    def settle(self) -> Settled:
        return self.settler.settle(Rejections())

    def play(self, scenario: Scenario, *, until_s: float) -> Iterator[Settled]:
        """Let a scenario arrive second by second, and settle after each."""
        for at_ns, request in ticks(scenario):
            if at_ns > scenario.start_ns + until_s * 1e9:
                return
            self.clock.ns = at_ns
            self.arrive(request)
            yield self.settle()


def ticks(scenario: Scenario) -> Iterator[tuple[int, bytes]]:
    """Yield what arrived by each second, as one request."""
    until_ns, batch = scenario.start_ns + TICK_NS, list[Span]()
    for at_ns, span in arrivals(simulate(scenario).traces(), scenario):
        while at_ns >= until_ns:
            yield until_ns, request_line(batch)
            batch.clear()
            until_ns += TICK_NS
        batch.append(span)
    yield until_ns, request_line(batch)
