"""Windows with planted causes, one seed each: the truth is known, the figures are checkable."""

from dataclasses import dataclass

import numpy as np

from graphmind.analysis.incidence import Incidence
from graphmind.analysis.window import NEVER, Descriptor, Window

SECOND = 1_000_000_000
# kind -> (values, values a trace draws from its task's own share, values it draws from all)
WORLD = {
    "model_version": (12, 1, 1),
    "prompt_version": (40, 1, 0),
    "agent": (60, 3, 1),
    "kv_key": (1500, 2, 4),
    "tool": (50, 3, 1),
    "region": (5, 0, 1),
    "endpoint": (40, 1, 1),
    "instance": (80, 0, 2),
    "service": (40, 4, 1),
    "module": (60, 4, 0),
}
TASKS = 30


@dataclass(frozen=True, kw_only=True)
class Planted:
    """A window and the item sets that were made to fail in it."""

    window: Window
    causes: tuple[tuple[int, ...], ...]
    rows: tuple[np.ndarray, ...]
    """Rows that each cause made fail."""


def plant(
    seed: int,
    *,
    n: int = 2000,
    causes: int = 3,
    pairs: float = 0.2,
    intervals: float = 0.3,
    base_rate: float = 0.01,
    heterogeneity: float = 0.0,
    clones: int = 0,
    keep_healthy: float = 1.0,
    channel: str = "error",
) -> Planted:
    """Draw traces, make some fail by chance and some by causes of at least 20 failures."""
    random = np.random.default_rng(seed)
    task = random.choice(TASKS, n, p=_zipf(TASKS, 0.7))
    matrix, kinds = _touches(random, task)
    for _ in range(clones):
        twin = random.choice(matrix.shape[1], 3, replace=False)
        matrix = np.hstack([matrix, matrix[:, twin]])
        kinds += [kinds[column] for column in twin]
    failing = random.random(n) < base_rate
    code = np.where(failing, random.integers(0, 6, n), -1)
    truths, caused_rows = [], []
    for number in range(causes):
        truth = _draw_cause(random, matrix, pair=random.random() < pairs)
        active = matrix[:, list(truth)].all(axis=1)
        if random.random() < intervals:
            first = random.uniform(0.1, 0.6)
            place = np.arange(n) / n
            active &= (place >= first) & (place < first + 0.3)
        strength = random.uniform(0.4, 0.9)
        by_task = strength * np.exp(heterogeneity * random.standard_normal(TASKS))
        hit = active & (random.random(n) < np.minimum(by_task, 0.98)[task])
        own = np.where(random.random(n) < 0.8, 10 + number, random.integers(0, 6, n))
        code = np.where(hit & ~failing, own, code)
        failing |= hit
        truths.append(truth)
        caused_rows.append(np.flatnonzero(hit))
    return _sampled(
        random,
        Planted(
            window=window_of(
                matrix, failing, kinds=kinds, stratum=task, code=code, channel=channel
            ),
            causes=tuple(truths),
            rows=tuple(caused_rows),
        ),
        keep_healthy,
        channel,
    )


def window_of(
    matrix, failing, *, kinds=None, stratum=None, code=None, channel="error", start_ns=None
) -> Window:
    """Arrange a dense boolean (traces, items) matrix as a window."""
    n, width = matrix.shape
    rows, columns = np.nonzero(matrix)
    starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=n))])
    return Window(
        start_ns=np.arange(n) * SECOND if start_ns is None else start_ns,
        items=Incidence(starts=starts, columns=columns.astype(np.int32), width=width),
        touched_ns=np.zeros(len(columns), np.int64),
        item_kinds=tuple(kinds or ["agent"] * width),
        item_names=tuple(f"item{column:05}" for column in range(width)),
        failing={channel: np.asarray(failing, bool)},
        failing_ns={channel: np.where(failing, 1, NEVER)},
        weight=np.ones(n),
        unit=np.arange(n, dtype=np.int32),
        stratum=np.zeros(n, np.int32) if stratum is None else stratum.astype(np.int32),
        descriptors=()
        if code is None
        else (Descriptor(codes=np.asarray(code, np.int32), power=1.0),),
    )


def _zipf(count, power):
    share = np.arange(1, count + 1) ** -power
    return share / share.sum()


def _touches(random, task):
    """Boolean (traces, items): each trace touches values of its task and values of all."""
    n, blocks, kinds = len(task), [], []
    for kind, (values, own, free) in WORLD.items():
        block = np.zeros((n, values), bool)
        of_task = np.stack([random.choice(values, max(own + 1, 1)) for _ in range(TASKS)])
        for _ in range(own):
            block[np.arange(n), of_task[task, random.integers(0, own + 1, n)]] = True
        for _ in range(free):
            block[np.arange(n), random.choice(values, n, p=_zipf(values, 0.8))] = True
        blocks.append(block)
        kinds += [kind] * values
    return np.hstack(blocks), kinds


def _draw_cause(random, matrix, *, pair):
    """An item, or two that often meet, on 2 to 15 % of the traces."""
    n = len(matrix)
    share = matrix.mean(axis=0)
    if pair:
        for _ in range(200):
            a, b = random.choice(np.flatnonzero(share > 0.08), 2, replace=False)
            both = (matrix[:, a] & matrix[:, b]).sum()
            if 0.02 * n < both < 0.5 * n * min(share[a], share[b]):
                return tuple(sorted((int(a), int(b))))
    least = max(0.02, 40 / n)
    return (int(random.choice(np.flatnonzero((share >= least) & (share <= 0.15)))),)


def _sampled(random, planted, keep_healthy, channel):
    """Keep a share of the healthy traces, with weights."""
    if keep_healthy >= 1:
        return planted
    window = planted.window
    failing = window.failing[channel]
    kept = np.flatnonzero(failing | (random.random(window.n) < keep_healthy))
    place = np.cumsum(np.isin(np.arange(window.n), kept)) - 1
    weight = np.where(failing, 1.0, 1 / keep_healthy)
    taken = window.take(kept)
    return Planted(
        window=type(taken)(**{**vars(taken), "weight": weight[kept]}),
        causes=planted.causes,
        rows=tuple(place[rows] for rows in planted.rows),
    )
