"""Windows of facts in which one bad value spreads over shared keys: who wrote it is known."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from graphmind.telemetry.facts import ACCESSES, ITEMS, SYMPTOMS, TRACES, Facts
from tests.analysis.planted import SECOND, TASKS, draw_touches, zipf

KEYS_PER_TASK = 12
KEYS_SHARED = 60
WRITERS = 0.25
"""Share of the traces that write what they learnt."""
REACH = (60, 500)
"""Traces that descend from the bad value: enough to decide, no more than a twentieth of 10,000."""
STRENGTHS = (0.1, 0.7, 0.7)
"""Probability of failing by the hops from the bad value: the first readers pass it on."""


@dataclass(frozen=True, kw_only=True)
class Poisoned:
    """A window, and what was planted in it."""

    facts: Facts
    origin: str
    """Trace that wrote the bad value; empty in a quiet window."""
    hops: dict[str, int]
    """Traces that failed of it, and how many writes it came through."""


@dataclass(kw_only=True)
class _Steps:
    """What each trace reads (two or three keys) and writes (one or none, after it read)."""

    reads: list[list[int]]
    writes: list[int]
    agents: list[str]


@dataclass(kw_only=True)
class _Replay:
    """What happened when the traces ran one after the other."""

    accesses: list[tuple[str, str, str, int, str]] = field(default_factory=list)
    hops: dict[int, int] = field(default_factory=dict)
    """Traces that read the bad value or what came of it."""
    failed: set[int] = field(default_factory=set)


def poison(
    seed: int,
    *,
    n: int = 10_000,
    strengths: Sequence[float] = STRENGTHS,
    base_rate: float = 0.01,
    failures_min: int = 30,
    quiet: bool = False,
) -> Poisoned:
    """Run traces a second apart; one early write is bad, and so is what its readers write."""
    random = np.random.default_rng(seed)
    task = random.choice(TASKS, n, p=zipf(TASKS, 0.7))
    touches, kinds = draw_touches(random, task)
    agents = touches[:, kinds_at(kinds, touches, "agent")]
    steps = _draw_steps(random, task, [f"agent{number:05}" for number in agents])
    luck = random.random(n)
    origin = -1 if quiet else _choose_origin(random, steps, luck, strengths, failures_min)
    run = _replay(steps, luck, strengths, origin)
    by_chance = set(np.flatnonzero(random.random(n) < base_rate).tolist())
    codes = dict.fromkeys(run.failed, "schema_mismatch")
    codes |= {number: f"E{number % 6}" for number in by_chance - run.failed}
    return Poisoned(
        facts=Facts(
            traces=_traces(task, codes),
            symptoms=_symptoms(codes),
            items=_items(touches, kinds),
            accesses=_table(ACCESSES, zip(*run.accesses, strict=True)),
        ),
        origin="" if quiet else name_of(origin),
        hops={name_of(number): run.hops[number] for number in sorted(run.failed)},
    )


def name_of(number: int) -> str:
    return f"t{number:07}"


def kinds_at(kinds: list[str], touches: np.ndarray, kind: str) -> int:
    """First draw that is of the kind."""
    return next(at for at, item in enumerate(touches[0]) if kinds[item] == kind)


def _draw_steps(random, task, agents) -> _Steps:
    n = len(task)
    own = task[:, None] * KEYS_PER_TASK + random.choice(
        KEYS_PER_TASK, (n, 4), p=zipf(KEYS_PER_TASK, 0.5)
    )
    shared = TASKS * KEYS_PER_TASK + random.choice(KEYS_SHARED, (n, 4), p=zipf(KEYS_SHARED, 0.5))
    keys = np.where(random.random((n, 4)) < 0.8, own, shared)
    count = random.integers(2, 4, n)
    return _Steps(
        reads=[row[:many].tolist() for row, many in zip(keys, count, strict=True)],
        writes=np.where(random.random(n) < WRITERS, keys[:, 3], -1).tolist(),
        agents=agents,
    )


def _choose_origin(random, steps: _Steps, luck, strengths, failures_min: int) -> int:
    """Choose a writer in the first two thirds whose value reaches neither few nor many."""
    writers = np.flatnonzero(np.array(steps.writes) >= 0)
    writers = writers[writers < 2 * len(luck) // 3]
    for origin in random.permutation(writers):
        run = _replay(steps, luck, strengths, int(origin))
        late = sum(run.hops[number] > 1 for number in run.failed)
        spread = 2 * late > len(run.failed) or not any(strengths[1:])
        if REACH[0] <= len(run.hops) <= REACH[1] and spread and len(run.failed) >= failures_min:
            return int(origin)
    raise AssertionError("no writer reaches enough traces")


def _replay(steps: _Steps, luck, strengths, origin: int) -> _Replay:
    """Let the traces read, fail or write, in order; beyond the strengths the harm is gone."""
    run = _Replay()
    bad: dict[int, int] = {}
    for number, (reads, write, agent) in enumerate(
        zip(steps.reads, steps.writes, steps.agents, strict=True)
    ):
        trace, start = name_of(number), number * SECOND
        hops = min((bad[key] + 1 for key in reads if key in bad), default=0)
        run.accesses += [
            (trace, f"key{key:04}", "read", start + 1 + place, agent)
            for place, key in enumerate(reads)
        ]
        if hops:
            run.hops[number] = hops
            if luck[number] < strengths[hops - 1]:
                run.failed.add(number)
                continue
        if write >= 0:
            run.accesses.append((trace, f"key{write:04}", "write", start + 10, agent))
            bad.pop(write, None)
            if number == origin or 0 < hops < len(strengths):
                bad[write] = hops
    return run


def _traces(task, codes: dict[int, str]) -> pa.Table:
    n = len(task)
    return pa.Table.from_pylist(
        [
            {
                "trace_id": name_of(number),
                "task": f"task{task[number]:02}",
                "start_ns": number * SECOND,
                "duration_ns": SECOND,
                "weight": 1.0,
                "outcome": "failed" if number in codes else "ok",
                "error_code": codes.get(number),
            }
            for number in range(n)
        ],
        TRACES,
    )


def _symptoms(codes: dict[int, str]) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {
                "trace_id": name_of(number),
                "kind": "error",
                "channel": "error",
                "began_ns": number * SECOND + 5,
                "code": codes[number],
            }
            for number in sorted(codes)
        ],
        SYMPTOMS,
    )


def _items(touches: np.ndarray, kinds: list[str]) -> pa.Table:
    """What the traces touched besides the keys."""
    named = np.array(kinds)
    n, draws = touches.shape
    item, trace = touches.ravel(), np.repeat(np.arange(n), draws)
    kept = ~np.isin(named[item], ["kv_key", "written_by_trace"])
    item, trace = item[kept], trace[kept]
    return _table(
        ITEMS,
        (
            [name_of(number) for number in trace.tolist()],
            named[item].tolist(),
            [f"{kinds[number]}{number:05}" for number in item],
            trace * SECOND,
        ),
    )


def _table(schema: pa.Schema, columns) -> pa.Table:
    return pa.Table.from_arrays(
        [pa.array(list(column), field.type) for column, field in zip(columns, schema, strict=True)],
        schema=schema,
    )
