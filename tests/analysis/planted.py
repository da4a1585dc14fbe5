"""Windows with planted causes, one seed each: the truth is known, the figures are checkable."""

from dataclasses import dataclass, replace

import numpy as np

from graphmind.analysis.incidence import Incidence
from graphmind.analysis.window import NEVER, Descriptor, Window

SECOND = 1_000_000_000
TASKS = 30
# kind -> (values, draws from the few values of the trace's task, draws from all values)
WORLD = {
    "model_version": (12, 1, 1),
    "prompt_version": (60, 1, 1),
    "agent": (60, 3, 1),
    "kv_key": (3000, 3, 4),
    "tool": (60, 3, 1),
    "region": (5, 0, 1),
    "endpoint": (60, 2, 1),
    "instance": (120, 0, 2),
    "service": (60, 3, 1),
    "module": (80, 2, 1),
}
READERS_PER_WRITE = 20


@dataclass(frozen=True, kw_only=True)
class Planted:
    """A window and what was made to fail in it."""

    window: Window
    causes: tuple[tuple[int, ...], ...]
    """Items of each cause."""
    clones: dict[int, int]
    """Item -> item on the same traces."""
    caused: np.ndarray
    """(n,), cause that made the trace fail, -1 for none."""


def plant(
    seed: int,
    *,
    n: int = 2000,
    causes: int = 3,
    pair_share: float = 0.2,
    interval_share: float = 0.3,
    base_rate: float = 0.01,
    heterogeneity: float = 0.0,
    clones: int = 0,
    keep_healthy: float = 1.0,
    sampler: str = "outcome",
) -> Planted:
    """Draw traces; some fail by chance, some by causes.

    ``heterogeneity`` is the log-normal spread of a cause's strength over tasks. Healthy traces are
    kept with ``keep_healthy`` on average, by outcome alone or also by region.
    """
    random = np.random.default_rng(seed)
    task = random.choice(TASKS, n, p=zipf(TASKS, 0.7))
    touches, kinds = draw_touches(random, task)
    truths = [draw_cause(random, touches, pair=random.random() < pair_share) for _ in range(causes)]
    cloned = {}
    for item in [item for truth in truths for item in truth][:clones]:
        cloned[item] = len(kinds)
        twin = np.where((touches == item).any(axis=1), len(kinds), touches[:, 0])
        touches = np.hstack([touches, twin[:, None]])
        kinds.append(kinds[item])
    failing = random.random(n) < base_rate
    code = np.where(failing, random.integers(0, 6, n), -1)
    caused = np.full(n, -1)
    for number, truth in enumerate(truths):
        active = touching(touches, truth)
        if random.random() < interval_share:
            first, place = random.uniform(0.1, 0.6), np.arange(n) / n
            active &= (place >= first) & (place < first + 0.3)
        spread = np.exp(heterogeneity * random.standard_normal(TASKS))
        strength = np.minimum(random.uniform(0.4, 0.9) * spread, 0.98)
        hit = active & (random.random(n) < strength[task]) & ~failing
        own = np.where(random.random(n) < 0.8, 10 + number, random.integers(0, 6, n))
        code, caused = np.where(hit, own, code), np.where(hit, number, caused)
        failing |= hit
    planted = Planted(
        window=window_of(touches, failing, kinds=kinds, stratum=task, code=code),
        causes=tuple(truths),
        clones=cloned,
        caused=caused,
    )
    if keep_healthy >= 1:
        return planted
    return sample(random, planted, touches, keep_healthy=keep_healthy, sampler=sampler)


def window_of(
    touches,
    failing,
    *,
    kinds=None,
    stratum=None,
    code=None,
    start_ns=None,
    weight=None,
    unit=None,
    channels=("error",),
) -> Window:
    """Arrange (n, draws) item numbers, repeated ones and -1 ignored, as a window."""
    n = len(touches)
    ordered = np.sort(touches, axis=1)
    fresh = np.diff(ordered, axis=1, prepend=-1) != 0
    width = len(kinds) if kinds else int(touches.max(initial=-1)) + 1
    starts = np.concatenate([[0], np.cumsum(fresh.sum(axis=1))])
    columns = ordered[fresh].astype(np.int32)
    return Window(
        start_ns=np.arange(n) * SECOND if start_ns is None else np.asarray(start_ns),
        items=Incidence(starts=starts, columns=columns, width=width),
        touched_ns=np.zeros(len(columns), np.int64),
        item_kinds=tuple(kinds or ["agent"] * width),
        item_names=tuple(f"item{number:06}" for number in range(width)),
        failing={channel: np.asarray(failing, bool) for channel in channels},
        failing_ns={channel: np.where(failing, 1, NEVER) for channel in channels},
        weight=np.ones(n) if weight is None else np.asarray(weight),
        unit=np.asarray(range(n) if unit is None else unit, np.int32),
        stratum=np.asarray(np.zeros(n) if stratum is None else stratum, np.int32),
        descriptors=()
        if code is None
        else (Descriptor(codes=np.asarray(code, np.int32), power=1.0),),
    )


def touching(touches, items):
    """Whether each trace touches all the items."""
    return np.all([(touches == item).any(axis=1) for item in items], axis=0)


def zipf(count, power):
    share = np.arange(1, count + 1) ** -power
    return share / share.sum()


def draw_touches(random, task):
    """Draw (n, draws) item numbers, some from the few of the trace's task, and the items' kinds."""
    n = len(task)
    drawn: list[np.ndarray] = []
    kinds: list[str] = []
    for kind, (values, own, free) in WORLD.items():
        of_task = random.choice(values, (TASKS, own + 1), p=zipf(values, 0.3))
        own_draws = of_task[task[:, None], random.integers(0, own + 1, (n, own))]
        free_draws = random.choice(values, (n, free), p=zipf(values, 0.8))
        drawn += [len(kinds) + own_draws, len(kinds) + free_draws]
        kinds += [kind] * values
    writes = n // READERS_PER_WRITE + 1
    lag = random.geometric(0.2, (n, 1))
    drawn.append(len(kinds) + np.maximum(np.arange(n)[:, None] // READERS_PER_WRITE - lag, 0))
    return np.hstack(drawn), kinds + ["written_by_trace"] * writes


def draw_cause(random, touches, *, pair):
    """An item on 1 to 15 % of the traces (40 at least), or two common ones that often meet."""
    n = len(touches)
    share = np.bincount(touches.ravel()) / n
    if pair:
        for _ in range(200):
            a, b = random.choice(np.flatnonzero(share > 0.08), 2, replace=False)
            met = touching(touches, (a, b)).mean()
            if max(0.02, 40 / n) < met < 0.5 * min(share[a], share[b]):
                return tuple(sorted((int(a), int(b))))
    wanted = (share >= max(0.01, 40 / n)) & (share <= 0.15)
    return (int(random.choice(np.flatnonzero(wanted))),)


def sample(random, planted, touches, *, keep_healthy, sampler) -> Planted:
    """Keep a share of the healthy traces, weighted by the inverse of their probability."""
    window = planted.window
    failing = window.failing["error"]
    probability = np.full(window.n, keep_healthy)
    if sampler == "region":
        region = window.item_kinds.index("region")
        probability[(touches == region).any(axis=1)] = keep_healthy / 5
    probability[failing] = 1
    kept = np.flatnonzero(random.random(window.n) < probability)
    sampled: Planted = replace(
        planted,
        window=replace(window, weight=1 / probability).take(kept),
        caused=planted.caused[kept],
    )
    return sampled
