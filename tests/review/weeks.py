"""Three planted weeks: one cause is fixed after two, one stays, one is new in the third."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from graphmind_loaders.files import read_spans

from graphmind.archive.port import Selection
from graphmind.jobs.analyze import analyze
from graphmind.jobs.load import load
from graphmind.jobs.settle import settle
from graphmind.jobs.stores import Stores
from graphmind.review.week import WEEK_MS
from graphmind.settings import Settings
from graphmind.simulation.files import write
from graphmind.simulation.scenario import START_NS, Scenario
from graphmind.simulation.simulate import simulate
from graphmind.telemetry.rejections import Rejections
from graphmind.wiring import open_stores, resolver_table

MS_NS = 1_000_000
FIRST_MS = START_NS // MS_NS
WEEKS = ("2026-W10", "2026-W11", "2026-W12")
AFTER_MS = FIRST_MS + 3 * WEEK_MS
"""In the week after."""


@contextmanager
def planted(folder: Path) -> Iterator[tuple[Stores, Settings]]:
    """Open stores over three weeks, each analysed on its own."""
    settings = Settings(data_dir=folder / "graphmind")
    with open_stores(settings) as stores:
        for number, kinds in enumerate(PLANTED):
            start_ns = START_NS + number * WEEK_MS * MS_NS
            scenario = Scenario(
                seed=SEED, traces=600, incidents=len(kinds), kinds=kinds, start_ns=start_ns
            )
            spans = folder / f"week-{number}"
            write(simulate(scenario), spans)
            fill(stores, settings, spans, start_ns)
        yield stores, settings


def fill(stores: Stores, settings: Settings, spans: Path, start_ns: int) -> None:
    """Load the files of a week and find its incidents."""
    rejected = Rejections()
    now_ns = start_ns + WEEK_MS * MS_NS
    load(
        read_spans([str(spans)], rejected, stdin=None),
        stores.archive,
        settings,
        table=resolver_table(settings),
        rejected=rejected,
        now_ns=now_ns,
    )
    settle(stores.archive, settings, rejected)
    analyze(stores, settings, Selection(from_ns=start_ns, until_ns=now_ns))


SEED = 7
PLANTED = (
    ("tool_error", "agent_error"),
    ("tool_error", "agent_error"),
    ("tool_error", "region_down"),
)
