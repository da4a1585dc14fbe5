"""One run of a task: its clock, its spans, and what strikes it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Final, NamedTuple

from graphmind.simulation.incidents import RACKS, Item, Planted
from graphmind.simulation.platform import Platform, TaskKind
from graphmind.telemetry.spans import KIND_INTERNAL, STATUS_ERROR, STATUS_UNSET

MS: Final = 1_000_000

DURATIONS: Final[Mapping[str, tuple[float, float]]] = {
    "AgentRouter": (15.0, 0.3),
    "TaskPreprocessor": (60.0, 0.4),
    "Vectorizer": (45.0, 0.35),
    "ModelExecutor": (30.0, 0.4),
    "LLMAdapter": (12.0, 0.3),
    "InferenceRPC": (1_300.0, 0.4),
    "SpecialistStep": (25.0, 0.4),
    "tool": (250.0, 0.6),
    "GET": (0.8, 0.5),
    "SET": (1.1, 0.5),
    "MemoryWriter": (15.0, 0.3),
    "ResultValidator": (40.0, 0.4),
    "CallbackSender": (10.0, 0.3),
    "WebhookDeliver": (120.0, 0.5),
    "ErrorHandler": (20.0, 0.4),
}
"""Median in ms and log-normal spread of each operation's own time (chosen)."""

RETURN_MS: Final = (0.02, 0.15)
"""Between the end of an operation and what its caller does next (chosen)."""

SLOW_SHARE: Final = 0.5
"""A run that slowness prolongs by less than this share does not suffer from it (chosen)."""

NATURAL_CODES: Final = (
    *("internal", "KeyError", "unavailable", "deadline_exceeded", "tool_unavailable"),
    *("connection_reset", "schema_mismatch", "invalid_argument", "model_output_invalid"),
)
"""What fails of its own accord fails with the codes of incidents, so a code gives nothing away."""

AttributeValue = str | int | float | bool


VERSION, NEXT_VERSION = "4.12.0", "4.13.0"
"""Of the platform's services, before and after a deploy."""
DEPLOYED: Final = "agent-runtime"
"""The service that a harmless deploy changes."""
BURST_FACTOR: Final = 6.0
"""How much more fails of its own accord in a burst (chosen)."""


class Process(NamedTuple):
    """One process of a service."""

    service: str
    region: str
    instance: str
    version: str = VERSION


@dataclass(slots=True, kw_only=True)
class Span:
    """One span as its process recorded it. ``end_ns`` is None while it has not ended."""

    trace_id: str
    span_id: str
    parent_span_id: str
    name: str
    kind: int
    process: Process
    scope: str
    start_ns: int
    end_ns: int | None
    attributes: dict[str, AttributeValue]
    status: int = STATUS_UNSET
    message: str = ""
    exception: str = ""
    raised_ns: int | None = None
    """When the exception was raised, if before the end."""
    links: tuple[tuple[str, str], ...] = ()


class Failed(Exception):  # noqa: N818 - reads as the outcome it is
    """An operation failed; ``fault`` is the incident that made it fail, if one did."""

    def __init__(self, code: str, fault: Planted | None) -> None:
        super().__init__(code)
        self.code = code
        self.fault = fault


class Hung(Exception):  # noqa: N818 - reads as the outcome it is
    """An operation never returns."""


class Value(NamedTuple):
    """What a key holds: who wrote it, and the incident that spoiled it, if one did."""

    agent: str
    poison: Planted | None


@dataclass(frozen=True, kw_only=True)
class Rollout:
    """A version that is served only between two moments."""

    item: Item
    from_ns: int
    until_ns: int
    region: str = ""
    """Served there only; empty for everywhere."""


@dataclass(frozen=True, kw_only=True)
class World:
    """What all runs of a window share. Only ``store`` changes."""

    deployed_ns: int = 2**63
    """When a harmless deploy takes place and a new key begins to be read."""
    bursts: tuple[tuple[int, int], ...] = ()
    """When everything fails more, with no cause."""
    effects: bool = False
    """Whether failed tools run diagnostics and fallbacks."""

    platform: Platform
    base_rate: float
    faults: Mapping[tuple[Item, ...], tuple[Planted, ...]]
    rollouts: Mapping[Item, Rollout]
    store: dict[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Job:
    """One submission of a task: what the customer asked for, and how often before."""

    job_id: str
    task: TaskKind
    tenant: str
    region: str
    attempt: int = 0
    follows: tuple[tuple[str, str], ...] = ()
    """(trace id, root span id) of the submission before."""


class Run:
    """A run in progress. The program of the platform moves it on; see ``program.py``.

    ``hit`` holds the incidents that broke or slowed something in it, ``struck`` those that show in
    how it ended; the others were made good, or hardly felt.
    """

    def __init__(self, world: World, job: Job, start_ns: int, load: float, random: Random) -> None:
        """Begin at ``start_ns``; ``load`` is a factor on every duration."""
        self.world = world
        self.job = job
        self.now = start_ns
        self.random = random
        self.trace_id = f"{random.getrandbits(128):032x}"
        self.rack = RACKS[int(self.trace_id[:8], 16) % len(RACKS)]
        self.spans: list[Span] = []
        self.met: set[tuple[Item, ...]] = set()
        self.struck: set[int] = set()
        self.hit: set[int] = set()
        self.failed = False
        self.spoiled: Planted | None = None
        self.doom = self._doom()
        self._pace = job.task.pace * load
        self._drag: dict[str, float] = {}
        self._slowed_by: set[int] = set()
        self._delay_ns = 0
        self._start_ns = start_ns
        self._open: list[Span] = []
        self._processes: dict[tuple[str, str], Process] = {}
        self._rolled: dict[int, bool] = {}

    def _doom(self) -> tuple[str, str, Planted | None] | None:
        """Draw whether, where and how this run fails of its own accord."""
        bursting = any(first <= self.now < last for first, last in self.world.bursts)
        rate = self.world.base_rate * (BURST_FACTOR if bursting else 1.0)
        if self.random.random() >= rate * self.job.task.frailty:
            return None
        return self.random.choice(tuple(DURATIONS)), self.random.choice(NATURAL_CODES), None

    @contextmanager
    def span(
        self,
        name: str,
        process: Process,
        attributes: dict[str, AttributeValue],
        *,
        kind: int = KIND_INTERNAL,
        scope: str = "relay.runtime",
    ) -> Iterator[Span]:
        """Record what happens inside as a span; a failure marks it and goes on to its parent."""
        span = Span(
            trace_id=self.trace_id,
            span_id=f"{self.random.getrandbits(64):016x}",
            parent_span_id=self._open[-1].span_id if self._open else "",
            name=name,
            kind=kind,
            process=process,
            scope=scope,
            start_ns=self.now,
            end_ns=None,
            attributes=attributes,
        )
        self.spans.append(span)
        self._open.append(span)
        try:
            yield span
            span.end_ns = self.now
        except Failed as failure:
            span.end_ns = self.now
            self._mark(span, failure)
            raise
        finally:
            self._open.pop()
            self.now += int(self.random.uniform(*RETURN_MS) * MS)

    def _mark(self, span: Span, failure: Failed) -> None:
        span.status = STATUS_ERROR
        span.message = f"{span.name} failed: {failure.code}"
        span.attributes["error.type"] = failure.code
        if failure.fault:
            self.hit.add(failure.fault.index)
        if self.random.random() < 0.5:
            span.exception = failure.code

    def process(self, service: str, region: str = "") -> Process:
        """Return the process that serves this run, and meet it and its region."""
        place = (service, region or self.job.region)
        if place not in self._processes:
            entered = any(place[1] == seen for _, seen in self._processes)
            instance = self.world.platform.instances[place].draw(self.random)
            deployed = place[0] == DEPLOYED and self.now >= self.world.deployed_ns
            version = NEXT_VERSION if deployed else VERSION
            self._processes[place] = Process(*place, instance, version)
            if not entered:
                self.face(("region", place[1]))
            self.face(("instance", instance))
        return self._processes[place]

    def work(self, operation: str, process: Process, *, factor: float = 1.0) -> None:
        """Spend the operation's own time; fail here if that is this run's fate."""
        median_ms, spread = DURATIONS[operation]
        spent = self.random.lognormvariate(0.0, spread) * median_ms * factor
        if self.random.random() < 0.004:  # a cold cache, a collector's pause: naturally slow
            spent *= self.random.uniform(2.0, 8.0)
        usual_ns = int(spent * self._pace * MS) + 1
        drag = self._drag.get(process.region, 1.0) * self._drag.get(process.instance, 1.0)
        self._delay_ns += int(usual_ns * (drag - 1.0))
        self.now += int(usual_ns * drag)
        if self.doom and self.doom[0] == operation:
            _, code, fault = self.doom
            self.doom = None
            raise Failed(code, fault)

    def meet(self, *items: Item) -> Planted | None:
        """Note that the run meets these items together; return the incident that strikes it."""
        self.met.add(items)
        return self.strike(*items)

    def strike(self, *items: Item) -> Planted | None:
        """Return the incident of these items that strikes now. One draw a run and incident."""
        for fault in self.world.faults.get(items, ()):
            if fault.onset_ns <= self.now < fault.until_ns:
                if fault.index not in self._rolled:
                    chance = fault.strength[self.job.task.name]
                    self._rolled[fault.index] = self.random.random() < chance
                if self._rolled[fault.index]:
                    return fault
        return None

    def face(self, *items: Item) -> Planted | None:
        """Meet items and suffer what follows at once; return a fault the caller has to act out."""
        fault = self.meet(*items)
        if fault is None:
            return None
        match fault.effect:
            case "error" if items[0][0] == "region":
                self.doom = (self.random.choice(_OUTAGE_SHOWS_AT), fault.code, fault)
            case "error":
                self.now += int(self.random.uniform(2.0, 80.0) * MS)
                raise Failed(fault.code, fault)
            case "hang":
                self._hang(fault)
            case "slow":
                self._drag[items[0][1]] = fault.factor
                self._slowed_by.add(fault.index)
                self.hit.add(fault.index)
            case "wrong":
                self.spoiled = fault
            case _:
                return fault
        return None

    def _hang(self, fault: Planted) -> None:
        """Wait for an answer: until the deadline, or it comes late, or it never does."""
        self.struck.add(fault.index)
        fate = self.random.random()
        if fate < 0.4:
            self.now += 30_000 * MS
            raise Failed(fault.code, fault)
        if fate < 0.75:
            self.now += int(self.random.uniform(11_000.0, 60_000.0) * MS)
            return
        raise Hung

    def conclude(self) -> None:
        """Count as struck by slowness only what it made a good deal longer."""
        usual_ns = self.now - self._start_ns - self._delay_ns
        if self._delay_ns > SLOW_SHARE * usual_ns:
            self.struck |= self._slowed_by

    def served(self, kind: str, versions: tuple[str, ...], drawn: str) -> str:
        """Return the drawn version, or another one if it is not rolled out at this moment."""
        rollout = self.world.rollouts.get((kind, drawn))
        if rollout is None:
            return drawn
        here = rollout.region in ("", self.job.region)
        if here and rollout.from_ns <= self.now < rollout.until_ns:
            return drawn
        return next(version for version in versions if version != drawn)


_OUTAGE_SHOWS_AT: Final = ("TaskPreprocessor", "ModelExecutor", "InferenceRPC", "CallbackSender")
