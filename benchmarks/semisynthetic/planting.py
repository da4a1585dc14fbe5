"""Faults planted into real traces: attributes are attached, and a share of some carriers broken.

What is real: the calls, their order and durations, which traces share services and pods. What is
planted: the attributes of an agent platform, which calls fail, and what follows a failure: calls
that began after it are dropped, as a program that fails makes none, and some runs turn to a
fallback tool.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.semisynthetic.runs import FALLBACK, Item, Run
from benchmarks.semisynthetic.traces import Trace


@dataclass(frozen=True, kw_only=True)
class Attached:
    """An attribute attached to one call of every trace."""

    kind: str
    values: int
    by_shape: bool
    """Whether traces that call the same services draw from the same few values."""


ATTACHED: Final = (
    Attached(kind="region", values=5, by_shape=False),
    Attached(kind="model_version", values=8, by_shape=False),
    Attached(kind="kv_key", values=150, by_shape=False),
    Attached(kind="agent", values=24, by_shape=True),
    Attached(kind="tool", values=30, by_shape=True),
    Attached(kind="prompt_version", values=20, by_shape=True),
)
SHAPE_VALUES, ANYWHERE = 4, 0.1
"""Values that a shape draws from, and the share of draws from all values."""
BASE_RATE: Final = 0.01
CARRIERS: Final = (0.02, 0.2)
"""Least and largest share of the traces that touch a cause; it is not less than 40 of them."""
CARRIERS_MIN: Final = 40
STRENGTH, SPREAD = (0.4, 0.9), 0.5
"""Share of the carriers that break, and its log-normal spread over shapes."""
KINDS: Final = ("attached", "attached", "attached", "real", "pair")
"""A fault is of one of these with equal chance: an attached value, a pod, two attached values."""
INTERVAL_SHARE, INTERVAL = 0.3, 0.4
"""Share of the faults that last a part of the window, and that part."""
DECOY_SHARE: Final = 0.1
"""Traces with the prompt version that is rolled out, harmless, when a passing fault begins."""
FALLBACK_SHARE: Final = 0.6
OWN_CODE_SHARE: Final = 0.8
CODES: Final = ("TimeoutError", "ConnectionError", "ValueError", "QuotaExceeded")
"""Exceptions of failures of their own accord, and of the faults' other failures."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A planted fault and the traces it broke."""

    kind: str
    items: tuple[Item, ...]
    trace_ids: tuple[str, ...]


def plant(traces: Sequence[Trace], seed: int, *, faults: int) -> tuple[list[Run], list[Fault]]:
    """Attach attributes to every trace and break some of them."""
    random = np.random.default_rng(seed)
    runs = [Run(trace) for trace in traces]
    shapes = np.unique([run.shape for run in runs], return_inverse=True)[1]
    for attached in ATTACHED:
        attach(random, runs, shapes, attached)
    found = [break_some(random, runs, shapes, number) for number in range(faults)]
    for run in runs:
        if not run.failed and random.random() < BASE_RATE:
            place = int(random.integers(len(run.calls)))
            run.fail(place, str(random.choice(CODES)), turns=random.random() < FALLBACK_SHARE)
    return runs, found


def attach(
    random: np.random.Generator, runs: Sequence[Run], shapes: np.ndarray, attached: Attached
) -> None:
    """Give each run one value of the attribute, on one of its calls."""
    share = np.arange(1, attached.values + 1) ** -0.7
    share /= share.sum()
    anywhere = random.choice(attached.values, len(runs), p=share)
    own = random.choice(attached.values, (int(shapes.max()) + 1, SHAPE_VALUES), p=share)
    of_shape = own[shapes, random.integers(0, SHAPE_VALUES, len(runs))]
    free = random.random(len(runs)) < ANYWHERE
    value = np.where(free, anywhere, of_shape) if attached.by_shape else anywhere
    for run, number in zip(runs, value.tolist(), strict=True):
        place = int(random.integers((len(run.calls) + 1) // 2))
        run.carry((attached.kind, f"{attached.kind}-{number:03}"), place)


def break_some(
    random: np.random.Generator, runs: Sequence[Run], shapes: np.ndarray, number: int
) -> Fault:
    """Choose a cause that enough runs touch, and break a share of those."""
    kind = str(random.choice(KINDS))
    cause, touching = choose_cause(random, runs, kind)
    place = np.arange(len(runs)) / len(runs)
    active = np.array(touching)
    if random.random() < INTERVAL_SHARE:
        onset = random.uniform(0.1, 0.9 - INTERVAL)
        active &= (place >= onset) & (place < onset + INTERVAL)
        rolled = (place >= onset) & (random.random(len(runs)) < DECOY_SHARE)
        for row in np.flatnonzero(rolled).tolist():
            runs[row].carry(("prompt_version", f"rollout-{number}"), 0)
    spread = np.exp(SPREAD * random.standard_normal(int(shapes.max()) + 1))[shapes]
    strength = np.minimum(random.uniform(*STRENGTH) * spread, 0.98)
    broken = []
    for row in np.flatnonzero(active & (random.random(len(runs)) < strength)).tolist():
        # The rollout may have taken the cause's place.
        if runs[row].failed or not all(item in runs[row].places for item in cause):
            continue
        own = random.random() < OWN_CODE_SHARE
        code = f"Fault{number}Error" if own else str(random.choice(CODES))
        at = max(runs[row].places[item] for item in cause)
        runs[row].fail(at, code, turns=random.random() < FALLBACK_SHARE)
        broken.append(runs[row].trace.trace_id)
    return Fault(kind=kind, items=cause, trace_ids=tuple(broken))


def choose_cause(
    random: np.random.Generator, runs: Sequence[Run], kind: str
) -> tuple[tuple[Item, ...], list[bool]]:
    """Draw a cause of the kind, and which runs touch it, until their share is within bounds.

    An attached value where the kind has none. Raises ValueError where there are too few runs.
    """
    items = sorted({item for run in runs for item in run.places if item[1] != FALLBACK})
    real = [item for item in items if item[0] == "instance"]
    planted = [item for item in items if item[0] != "instance"]
    for _ in range(1000):
        pool, size = (real, 1) if kind == "real" else (planted, 1 + (kind == "pair"))
        cause = tuple(pool[place] for place in random.choice(len(pool), size, replace=False))
        touching = [all(item in run.places for item in cause) for run in runs]
        share = sum(touching) / len(runs)
        if max(CARRIERS[0], CARRIERS_MIN / len(runs)) <= share <= CARRIERS[1]:
            return cause, touching
    if kind == "attached":
        raise ValueError(f"no attached value is on enough of {len(runs)} traces, take 300 or more")
    return choose_cause(random, runs, "attached")
