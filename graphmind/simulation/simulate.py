"""Plans a window of the platform's life: who submits what when, and what goes wrong."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from graphmind.simulation.incidents import Exposure, Item, Planted, plant
from graphmind.simulation.platform import Platform, build_platform
from graphmind.simulation.run import Rollout, World
from graphmind.simulation.scenario import Scenario
from graphmind.simulation.window import SECOND_NS, Trace, Traffic, Window

REHEARSED: Final = 800
"""Runs of a quiet window from which the exposure of every item is estimated (chosen)."""
CHRONIC_AGENTS: Final = 2
INNOCENT_ROLLOUTS: Final = 3
"""Versions that are new about when an incident begins, or at any time, and harm nobody (chosen)."""


@dataclass(frozen=True, kw_only=True)
class Simulation:
    """A planned window. Nothing has run yet: ``traces`` runs it, anew on every call."""

    scenario: Scenario
    platform: Platform
    traffic: Traffic
    starts: tuple[int, ...]
    incidents: tuple[Planted, ...] = ()
    rollouts: tuple[Rollout, ...] = ()
    deployed_ns: int = 2**63
    bursts: tuple[tuple[int, int], ...] = ()

    def traces(self) -> Iterator[Trace]:
        """Run the window; yield each trace when it is over, in that order."""
        faults: defaultdict[tuple[Item, ...], tuple[Planted, ...]] = defaultdict(tuple)
        for incident in self.incidents:
            faults[incident.all_of] += (incident,)
        world = World(
            platform=self.platform,
            base_rate=self.scenario.base_rate,
            faults=dict(faults),
            rollouts={rollout.item: rollout for rollout in self.rollouts},
            deployed_ns=self.deployed_ns,
            bursts=self.bursts,
            effects=self.scenario.effects,
        )
        return Window(self.scenario, self.traffic, world).traces(self.starts)


def simulate(scenario: Scenario) -> Simulation:
    """Plan a window: build the platform, rehearse it without incidents, choose what goes wrong.

    Raises SettingsError if the incidents asked for cannot be planted in so few traces.
    """
    platform = build_platform(
        _random(scenario, "platform"),
        regions=scenario.regions,
        task_kinds=scenario.task_kinds,
        chronic=CHRONIC_AGENTS if scenario.restless else 0,
    )
    random = _random(scenario, "traffic")
    traffic = Traffic(phase=random.uniform(0.0, 6.3), rushes=(random.random(), random.random()))
    starts = traffic.starts(scenario, random)
    quiet = Simulation(scenario=scenario, platform=platform, traffic=traffic, starts=starts)
    random = _random(scenario, "incidents")
    incidents: tuple[Planted, ...] = ()
    if scenario.planted or scenario.hidden:
        incidents = plant(scenario, platform.task_kinds, _rehearse(quiet), starts, random)
    rollouts = _rollouts(platform, incidents, starts, random)
    if scenario.confounded:
        rollouts = _in_one_region(rollouts, incidents, platform, random)
    random = _random(scenario, "decoys")
    return replace(
        quiet,
        incidents=incidents,
        rollouts=rollouts,
        deployed_ns=_near(incidents, starts, random) if scenario.decoys else 2**63,
        bursts=_bursts(starts, random) if scenario.restless else (),
    )


def _in_one_region(
    rollouts: Sequence[Rollout], incidents: Sequence[Planted], platform: Platform, random: Random
) -> tuple[Rollout, ...]:
    """Serve each new version in one region only: that of an incident, if one has its own."""
    struck = [name for i in incidents for kind, name in i.all_of if kind == "region"]
    paired = {i.all_of[0] for i in incidents if len(i.all_of) > 1}
    return tuple(
        rollout
        if rollout.item in paired
        else replace(rollout, region=random.choice(struck or platform.regions))
        for rollout in rollouts
    )


def _bursts(starts: Sequence[int], random: Random) -> tuple[tuple[int, int], ...]:
    """Draw two short times at which everything fails more."""
    begun = (random.choice(starts) for _ in range(2))
    return tuple((first, first + int(random.uniform(60.0, 240.0) * SECOND_NS)) for first in begun)


def _random(scenario: Scenario, purpose: str) -> Random:
    """Give each purpose a chance of its own, so that one does not shift the others."""
    return Random(f"{scenario.seed}/{purpose}")  # noqa: S311 - reproducible, not secret


def _rehearse(quiet: Simulation) -> Exposure:
    """Return the share of runs that meet each item, from an evenly thinned quiet window."""
    step = max(1, len(quiet.starts) // REHEARSED)
    thinned = replace(quiet, starts=quiet.starts[::step])
    counts = Counter(items for trace in thinned.traces() for items in trace.met)
    return {items: count / len(thinned.starts) for items, count in sorted(counts.items())}


def _rollouts(
    platform: Platform, incidents: Sequence[Planted], starts: Sequence[int], random: Random
) -> tuple[Rollout, ...]:
    """Roll out the guilty versions that are new, and innocent ones at about the same time."""
    guilty = [
        Rollout(item=incident.all_of[0], from_ns=incident.onset_ns, until_ns=incident.until_ns)
        for incident in incidents
        if incident.rolled_out
    ]
    busy = {item for incident in incidents for item in incident.all_of}
    innocent = [
        Rollout(item=item, from_ns=_near(incidents, starts, random), until_ns=2**63)
        for item in random.sample(_free_versions(platform, busy), INNOCENT_ROLLOUTS)
    ]
    return (*guilty, *innocent)


def _free_versions(platform: Platform, busy: set[Item]) -> list[Item]:
    """Return the newest version of everything of which no version takes part in an incident."""
    mixes = [("model_version", mix.names) for mix in platform.model_versions.values()]
    mixes += [("prompt_version", mix.names) for mix in platform.prompt_versions.values()]
    return [(kind, names[-1]) for kind, names in mixes if busy.isdisjoint((kind, n) for n in names)]


def _near(incidents: Sequence[Planted], starts: Sequence[int], random: Random) -> int:
    """Return a moment within three minutes of an onset, or any where there is none."""
    onset = random.choice(incidents).onset_ns if incidents else random.choice(starts)
    return onset + int(random.uniform(-180.0, 180.0) * SECOND_NS)
