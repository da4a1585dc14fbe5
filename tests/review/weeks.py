"""Three planted weeks of one platform: a cause that is fixed, one that recurs, and a new one."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from graphmind.archive.port import Selection
from graphmind.review.week import WEEK_MS, Week
from graphmind.settings import Settings
from graphmind.simulation.files import write
from graphmind.simulation.incidents import Planted
from graphmind.simulation.scenario import START_NS, Scenario
from graphmind.simulation.simulate import Simulation, simulate
from graphmind.wiring import open_stores
from tests.api.conftest import fill

MS_NS: Final = 1_000_000
WEEK_NS: Final = WEEK_MS * MS_NS
KINDS: Final[Mapping[str, str]] = {
    "fixed": "tool_error",
    "recurring": "region_down",
    "new": "model_error",
}
PLANTED: Final = (("fixed",), ("fixed", "recurring"), ("recurring", "new"))
"""What goes wrong in each week."""
SCENARIO: Final = Scenario(
    seed=53, traces=1500, kinds=tuple(KINDS.values()), minutes=4 * 24 * 60, strength_spread=0.1
)
"""Four days of each week; the seed gives causes that differ in everything they touch."""
WEEKS: Final = tuple(
    Week.of(START_NS // MS_NS + number * WEEK_MS) for number in range(len(PLANTED))
)
OVER_MS: Final = WEEKS[-1].until_ms
"""When the last week is over."""


def plant(data_dir: Path, spans: Path) -> Mapping[str, Planted]:
    """Load and analyse the weeks one after the other; return the causes as last planted."""
    plan = simulate(SCENARIO)
    chosen = dict(zip(KINDS, plan.incidents, strict=True))
    settings = Settings(data_dir=data_dir)
    with open_stores(settings) as stores:
        for number, week in enumerate(WEEKS):
            write(_week(plan, chosen, number), spans / week.name)
            time = Selection(from_ns=week.since_ms * MS_NS, until_ns=week.until_ms * MS_NS)
            fill(stores, settings, spans / week.name, time)
    return chosen


def _week(plan: Simulation, chosen: Mapping[str, Planted], number: int) -> Simulation:
    later_ns = number * WEEK_NS
    return replace(
        plan,
        # Ids of traces are drawn from the seed: each week has its own, on the same platform.
        scenario=replace(SCENARIO, seed=SCENARIO.seed + number, start_ns=START_NS + later_ns),
        starts=tuple(start + later_ns for start in plan.starts),
        incidents=tuple(_later(chosen[name], later_ns) for name in PLANTED[number]),
        rollouts=(),
    )


def _later(planted: Planted, later_ns: int) -> Planted:
    return replace(
        planted,
        onset_ns=planted.onset_ns + later_ns,
        until_ns=planted.until_ns + later_ns,
        rolled_out=False,
    )
