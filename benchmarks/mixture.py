"""Array windows with one to eight incidents of ten kinds, drawn to be as hard as real ones.

Agents belong to modules, tasks prefer some agents, tools and endpoints, memory passes from trace to
trace, incidents overlap, share error codes, begin at any time and may be small.
"""

from dataclasses import dataclass, replace

import numpy as np

from graphmind.analysis.window import Descriptor
from tests.analysis.planted import Planted, sample, touching, window_of, zipf

TASKS, AGENTS_PER_MODULE, MEMORY_KEYS = 30, 5, 400
CODES, PATHS = 12, 30
WRITING_SHARE = 0.1
HOPS = 3
DESCENDANTS_MIN = 8  # Fewer can never be told from chance, so such ancestors are no items.
# kind -> (values, draws from the few values of the trace's task, draws from all values)
DRAWS = {
    "agent": (60, 3, 1),
    "model_version": (12, 1, 1),
    "prompt_version": (60, 1, 1),
    "tool": (60, 3, 1),
    "region": (5, 0, 1),
    "endpoint": (60, 2, 1),
    "instance": (120, 0, 2),
    "service": (60, 2, 1),
    "kv_key": (3000, 2, 2),
}
# kinds of the cause's items -> whether it lasts all along, from its onset on, or an interval
INCIDENTS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("agent",), "always"),
    (("module",), "always"),
    (("model_version",), "onset"),
    (("region",), "interval"),
    (("tool",), "always"),
    (("endpoint",), "interval"),
    (("kv_key",), "onset"),
    (("fed_by_trace",), "always"),
    (("model_version", "region"), "always"),
    (("agent", "kv_key"), "always"),
)
SHARE_MIN, SHARE_MAX, TRACES_MIN = 0.004, 0.15, 40


@dataclass(frozen=True, kw_only=True)
class _World:
    touches: np.ndarray
    """(n, draws) item numbers, -1 for none."""
    kinds: np.ndarray
    """(items,)."""
    task: np.ndarray


def plant_mixture(
    seed: int, *, n: int, heterogeneity: float = 0.0, keep_healthy: float = 1.0, quiet: bool = False
) -> Planted:
    """Draw a window; ``heterogeneity`` spreads a cause's strength over tasks, log-normally."""
    random = np.random.default_rng(seed)
    world = _draw_world(random, n)
    failing = random.random(n) < random.uniform(0.005, 0.02)
    code = np.where(failing, random.integers(0, CODES, n), -1)
    path = np.where(failing, random.integers(0, PATHS, n), -1)
    caused = np.full(n, -1)
    causes: list[tuple[int, ...]] = []
    for _ in range(0 if quiet else int(random.integers(1, 9))):
        kinds, course = INCIDENTS[random.integers(len(INCIDENTS))]
        items = _draw_items(random, world, kinds)
        if items is None or items in causes:
            continue
        active = touching(world.touches, items) & _in_course(random, n, course)
        spread = np.exp(heterogeneity * random.standard_normal(TASKS))
        strength = np.minimum(random.uniform(0.2, 0.9) * spread, 0.98)
        hit = active & (random.random(n) < strength[world.task]) & ~failing
        code = np.where(hit, _symptom(random, n, CODES, own_share=0.8), code)
        path = np.where(hit, _symptom(random, n, PATHS, own_share=0.7), path)
        caused[hit] = len(causes)
        failing |= hit
        causes.append(items)
    window = replace(
        window_of(world.touches, failing, kinds=world.kinds.tolist(), stratum=world.task),
        descriptors=tuple(
            Descriptor(codes=codes.astype(np.int32), power=power)
            for codes, power in ((code, 1.0), (path, 0.5))
        ),
    )
    planted = Planted(window=window, causes=tuple(causes), clones={}, caused=caused)
    if keep_healthy >= 1:
        return planted
    return sample(random, planted, world.touches, keep_healthy=keep_healthy, sampler="outcome")


def _draw_world(random: np.random.Generator, n: int) -> _World:
    task = random.choice(TASKS, n, p=zipf(TASKS, 0.7))
    drawn: list[np.ndarray] = []
    kinds: list[str] = []
    for kind, (values, own, free) in DRAWS.items():
        of_task = random.choice(values, (TASKS, own + 1), p=zipf(values, 0.3))
        own_draws = of_task[task[:, None], random.integers(0, own + 1, (n, own))]
        free_draws = random.choice(values, (n, free), p=zipf(values, 0.8))
        drawn += [len(kinds) + own_draws, len(kinds) + free_draws]
        kinds += [kind] * values
        if kind == "agent":
            modules = np.hstack([own_draws, free_draws]) // AGENTS_PER_MODULE
            drawn.append(len(kinds) + modules)
            kinds += ["module"] * (values // AGENTS_PER_MODULE)
    drawn.append(_lineage(random, n, kinds))
    return _World(touches=np.hstack(drawn), kinds=np.array(kinds), task=task)


def _lineage(random: np.random.Generator, n: int, kinds: list[str]) -> np.ndarray:
    """Draw what fed each trace: the writer of the memory it reads, that one's writer, and so on.

    Adds the kinds of (n, 1 + HOPS) items: the writer itself, and every ancestor.
    """
    key = random.choice(MEMORY_KEYS, n, p=zipf(MEMORY_KEYS, 0.8))
    writes = np.flatnonzero(random.random(n) < WRITING_SHARE)
    order = np.argsort(key[writes] * n + writes)
    label = (key[writes] * n + writes)[order]
    place = np.searchsorted(label, key * n + np.arange(n)) - 1
    parent = np.where((place >= 0) & (label[place] // n == key), label[place] % n, -1)
    ancestors = [parent]
    for _ in range(HOPS - 1):
        ancestors.append(np.where(ancestors[-1] >= 0, parent[ancestors[-1]], -1))
    columns = []
    for kind, touched in (
        ("written_by_trace", parent[:, None]),
        ("fed_by_trace", np.stack(ancestors, axis=1)),
    ):
        count = np.bincount(touched[touched >= 0], minlength=n)
        kept = count >= DESCENDANTS_MIN
        number = np.where(kept, len(kinds) + np.cumsum(kept) - 1, -1)
        columns.append(np.where(touched >= 0, number[touched], -1))
        kinds += [kind] * int(kept.sum())
    return np.hstack(columns)


def _draw_items(
    random: np.random.Generator, world: _World, kinds: tuple[str, ...]
) -> tuple[int, ...] | None:
    """Draw an item of each kind that together are on neither too few nor too many traces."""
    n = len(world.touches)
    count = np.bincount(world.touches[world.touches >= 0], minlength=len(world.kinds))
    least = max(SHARE_MIN * n, TRACES_MIN)
    frequent = [np.flatnonzero((world.kinds == kind) & (count >= least)) for kind in kinds]
    if not all(map(len, frequent)):
        return None
    if len(kinds) == 1:
        [choices] = frequent
        fitting = choices[count[choices] <= SHARE_MAX * n]
        choices = fitting if len(fitting) else choices
        return (int(random.choice(choices)),)
    for _ in range(200):
        items = tuple(sorted(int(random.choice(choices)) for choices in frequent))
        together = touching(world.touches, items).sum()
        if least <= together < 0.5 * count[list(items)].min():
            return items
    return None


def _in_course(random: np.random.Generator, n: int, course: str) -> np.ndarray:
    """Whether the cause is there when each trace starts."""
    begin = 0.0 if course == "always" else random.uniform(0.1, 0.6)
    end = begin + 0.3 if course == "interval" else 1.0
    place = np.arange(n) / n
    return (place >= begin) & (place < end)


def _symptom(random: np.random.Generator, n: int, values: int, *, own_share: float) -> np.ndarray:
    """Draw (n,) categories, most of them the incident's own."""
    own = random.integers(values)
    return np.where(random.random(n) < own_share, own, random.integers(0, values, n))
