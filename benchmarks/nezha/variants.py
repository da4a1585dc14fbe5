"""The same cases made harder: fewer traces, fewer and dirty reference periods.

The cases are few, and the method was shaped on them; what helps here helps more than a single case.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from benchmarks.nezha.loading import Trial
from benchmarks.public.places import Place, place
from graphmind.analysis.localisation.period import Period, take_traces

Method = Callable[[Trial], Mapping[str, float]]


def measure_variants(trials: Sequence[Trial], method: Method) -> dict[str, list[Place]]:
    """Return the places in each variant."""
    found: dict[str, list[Place]] = defaultdict(list)
    for trial in trials:
        for name, variant in _variants(trial):
            found[name].append(place(method(variant), trial.case.culprit, trial.services))
    return found


def _variants(trial: Trial) -> Iterator[tuple[str, Trial]]:
    yield "as published", trial
    for seed in range(2):
        yield "half of the traces", replace(trial, window=_some(trial.window, 0.5, seed))
        yield "a quarter of the traces", replace(trial, window=_some(trial.window, 0.25, seed))
    thin = tuple(_some(period, 0.4, 3) for period in trial.references)
    yield "references of 0.4 of the traces", replace(trial, references=thin)
    if len(trial.references) > 1:
        for number, period in enumerate(trial.references, 1):
            yield f"reference {number} alone", replace(trial, references=(period,))
    if trial.before is not None:
        yield (
            "the minute before, often faulty, as well",
            replace(trial, references=(*trial.references, trial.before)),
        )


def _some(period: Period, share: float, seed: int) -> Period:
    count = max(3, round(period.traces * share))
    chosen = np.random.default_rng(seed).permutation(period.traces)[:count]
    return take_traces(period, np.sort(chosen))
