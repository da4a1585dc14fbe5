"""Runs of one window side by side: whoever touches the shared store first, goes first."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from random import Random
from typing import Final

from graphmind.simulation.incidents import Item
from graphmind.simulation.program import Steps, serve_task
from graphmind.simulation.run import Job, Run, Span, World
from graphmind.simulation.scenario import Scenario

SECOND_NS: Final = 1_000_000_000
RESUBMISSIONS_MAX: Final = 2
_FOREVER: Final = 2**63


@dataclass(frozen=True, kw_only=True)
class Trace:
    """One finished run, and what is true of it."""

    trace_id: str
    spans: tuple[Span, ...]
    met: frozenset[tuple[Item, ...]]
    failed: bool
    """Ended with an error, or never."""
    struck: frozenset[int]
    """Incidents that show in how it ended, by index."""
    mended: frozenset[int]
    """Incidents that hit it without consequence: made good by a second try, or hardly slower."""


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """Load over the window: a wave and two short rushes."""

    phase: float
    rushes: tuple[float, float]

    def at(self, moment: float) -> float:
        """Return the load at a moment in 0..1; 1 is the mean of the wave."""
        rush = sum(math.exp(-(((moment - centre) / 0.03) ** 2)) for centre in self.rushes)
        return 1.0 + 0.45 * math.sin(9.0 * moment + self.phase) + 0.6 * rush

    def starts(self, scenario: Scenario, random: Random) -> tuple[int, ...]:
        """Draw when jobs are submitted (ns), ascending, by rejection under the load."""
        length_ns = int(scenario.minutes * 60 * SECOND_NS)
        starts: list[int] = []
        while len(starts) < scenario.traces:
            moment = random.random()
            if random.random() * 2.7 < self.at(moment):  # no load is above 2.65
                starts.append(scenario.start_ns + int(moment * length_ns))
        return tuple(sorted(starts))


class Window:
    """The runs in progress, ordered by when each touches the store next."""

    def __init__(self, scenario: Scenario, traffic: Traffic, world: World) -> None:
        """Start with nothing in progress and an empty store."""
        self._scenario = scenario
        self._traffic = traffic
        self._world = world
        self._waiting: list[tuple[int, int, Run, Steps]] = []
        self._begun = 0
        self._tasks = {task.name: task for task in world.platform.task_kinds}

    def traces(self, starts: Sequence[int]) -> Iterator[Trace]:
        """Submit a job at each start (ascending); yield each trace when it is over."""
        for number, start_ns in enumerate(starts):
            yield from self._advance(start_ns)
            random = Random(f"{self._scenario.seed}/job/{number}")  # noqa: S311 - not secret
            self._begin(self._submitted(number, random), start_ns, random)
        yield from self._advance(_FOREVER)

    def _submitted(self, number: int, random: Random) -> Job:
        task = self._tasks[self._world.platform.traffic.draw(random)]
        return Job(
            job_id=f"job-{number:06}",
            task=task,
            tenant=task.tenants.draw(random),
            region=task.regions.draw(random),
        )

    def _begin(self, job: Job, start_ns: int, random: Random) -> None:
        moment = (start_ns - self._scenario.start_ns) / (self._scenario.minutes * 60 * SECOND_NS)
        run = Run(self._world, job, start_ns, 0.9 + 0.1 * self._traffic.at(moment), random)
        self._begun += 1
        heappush(self._waiting, (start_ns, self._begun, run, serve_task(run)))

    def _advance(self, until_ns: int) -> Iterator[Trace]:
        while self._waiting and self._waiting[0][0] <= until_ns:
            _, order, run, steps = heappop(self._waiting)
            moment = next(steps, None)
            if moment is not None:
                heappush(self._waiting, (moment, order, run, steps))
            else:
                yield _finished(run)
                self._submit_again(run)

    def _submit_again(self, run: Run) -> None:
        """Submit some failed jobs again, half of them to another region."""
        again = run.failed and run.random.random() < self._scenario.resubmitted
        if not again or run.job.attempt == RESUBMISSIONS_MAX:
            return
        elsewhere = [name for name in self._world.platform.regions if name != run.job.region]
        job = replace(
            run.job,
            attempt=run.job.attempt + 1,
            region=run.random.choice((run.job.region, run.random.choice(elsewhere))),
            follows=((run.trace_id, run.spans[0].span_id),),
        )
        self._begin(job, run.now + int(run.random.uniform(1, 20) * SECOND_NS), run.random)


def _finished(run: Run) -> Trace:
    return Trace(
        trace_id=run.trace_id,
        spans=tuple(run.spans),
        met=frozenset(run.met),
        failed=run.failed,
        struck=frozenset(run.struck),
        mended=frozenset(run.hit - run.struck),
    )
