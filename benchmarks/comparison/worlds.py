"""The windows that all methods see: drawn as arrays, or simulated and loaded as OTLP."""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.comparison.trial import Trial, run_trial
from benchmarks.mixture import plant_mixture
from benchmarks.planted import found_from, planted_from, read_facts
from benchmarks.rivals.ranking import Rival
from benchmarks.scoring import Found, ItemSet, Planted
from graphmind.analysis.find import find
from graphmind.analysis.incidence import Incidence
from graphmind.analysis.window import Window, window_from_facts
from graphmind.jobs.analyze import examine
from graphmind.settings import Settings
from graphmind.simulation.files import SPANS_FILE, write
from graphmind.simulation.scenario import Scenario
from graphmind.simulation.simulate import simulate
from graphmind.telemetry.facts import Facts

Rivals = dict[str, Rival]
EFFECTS = {("tool", "fallback"): 0.8, ("module", "error_handler"): 0.5}
"""What failing traces touch after they failed, and the share that does."""


def drawn_trial(seed: int, *, quiet: bool, more: Rivals, traces: int, spread: float) -> Trial:
    """Try all on a window drawn as arrays, with what failing traces touch afterwards added."""
    truth = plant_mixture(seed, n=traces, heterogeneity=spread, quiet=quiet)
    truth = replace(truth, window=add_effects(truth.window, seed))
    ids = [str(row) for row in range(truth.window.n)]
    planted = [
        Planted(
            kind="",
            explanations=frozenset({_items(truth.window, items)}),
            traces=frozenset(ids[row] for row in np.flatnonzero(truth.caused == number)),
            mended=frozenset(),
        )
        for number, items in enumerate(truth.causes)
    ]
    ours = partial(find_drawn, truth.window, ids)
    return run_trial(truth.window, ids, planted, ours, more)


def add_effects(window: Window, seed: int) -> Window:
    """Let some failing traces turn to a fallback tool and some to an error handler, afterwards."""
    random = np.random.default_rng([seed, 1])
    failing = window.failing["error"]
    turned = failing[:, None] & (random.random((window.n, len(EFFECTS))) < [*EFFECTS.values()])
    rows, effects = np.nonzero(turned)
    ends, items = window.items.starts[rows + 1], window.items
    added = np.concatenate([[0], np.cumsum(turned.sum(axis=1))])
    return replace(
        window,
        items=Incidence(
            starts=items.starts + added,
            columns=np.insert(items.columns, ends, items.width + effects).astype(np.int32),
            width=items.width + len(EFFECTS),
        ),
        touched_ns=np.insert(window.touched_ns, ends, window.failing_ns["error"][rows] + 1),
        item_kinds=(*window.item_kinds, *(kind for kind, _ in EFFECTS)),
        item_names=(*window.item_names, *(name for _, name in EFFECTS)),
    )


def find_drawn(window: Window, ids: Sequence[str]) -> list[Found]:
    """Run the product's analysis; a cause's explanations are it and its ties, then its rivals."""
    return [
        Found(
            explanations=tuple(
                frozenset(_items(window, items) for items in tied)
                for tied in [{cause.items, *cause.tied} for cause in finding.causes]
                + [{rival} for _, rival in finding.causes[0].rivals]
            ),
            traces=frozenset(ids[row] for row in finding.traces),
        )
        for finding in find(window).findings
        if finding.causes
    ]


def _items(window: Window, items: Sequence[int]) -> ItemSet:
    return frozenset((window.item_kinds[item], window.item_names[item]) for item in items)


def simulated_trial(seed: int, *, quiet: bool, more: Rivals, traces: int, incidents: int) -> Trial:
    """Try all on a simulated platform whose OTLP lines went the product's way to facts."""
    scenario = Scenario(seed=seed, traces=traces, incidents=incidents, quiet=quiet)
    with tempfile.TemporaryDirectory() as folder:
        truth = write(simulate(scenario), Path(folder))
        settings = Settings(data_dir=Path(folder) / "store")
        facts = read_facts(Path(folder) / SPANS_FILE, settings)
    planted = [planted_from(incident) for incident in truth["incidents"]]
    return facts_trial(facts, settings, planted, more)


def facts_trial(
    facts: Facts, settings: Settings, planted: Sequence[Planted], more: Rivals
) -> Trial:
    """Try all on the facts of loaded traces; ours also writes each incident's command."""
    ids: list[Any] = facts.traces["trace_id"].to_pylist()
    ours = partial(_find_incidents, facts, settings)
    return run_trial(window_from_facts(facts), ids, planted, ours, more)


def _find_incidents(facts: Facts, settings: Settings) -> list[Found]:
    _, incidents, _ = examine(facts, settings)
    return [found_from(incident) for incident in incidents if incident["causes"]]
