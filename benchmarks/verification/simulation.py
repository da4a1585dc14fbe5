"""Many repairs side by side: requests drawn one by one, paired first come, judged by the rule.

Arrivals are drawn once for a batch of runs, since who pairs with whom hangs on starts alone, and
outcomes for each run. Each run has a history of its own, measured with noise.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.verification.scenarios import GROUP_SHARES, MIX, Rates
from graphmind.verification.bounds import Bounds, bounds_of
from graphmind.verification.evidence import Pairs, Stream
from graphmind.verification.history import HEALTHY_MIN, INCIDENT_MIN, History, Traffic
from graphmind.verification.options import Options
from graphmind.verification.rule import decide, read
from graphmind.verification.words import (
    BYSTANDER,
    EXPOSED,
    FAILURE,
    FAST_FAILURE,
    GROUPS,
    METRICS,
    RECIPIENT,
    SLOW,
    TREATED,
    WRONG,
    Group,
    Metric,
    Verdict,
)

BATCHES: Final = 8
"""Streams of arrivals a cell (chosen: their chance moves a median less than that of outcomes)."""
OFFSETS: Final = Options().offsets_s

RatesAt = Callable[[Group, float], Rates]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How the runs of a cell ended, (runs,)."""

    verdict: np.ndarray
    """The first verdict."""
    seconds: np.ndarray
    """When it was given, after the repair."""
    recovering_s: np.ndarray
    """When it was first said to be recovering; NaN where it never was."""
    harmed: np.ndarray
    """Whether a harm test ever fired as far as it was watched."""


def peek_s(rate: float) -> int:
    """Return how often the rule looks, as in the design."""
    return 1 if rate >= 200 else 2 if rate >= 20 else 3


def history(
    usual: Rates,
    incident: Rates,
    runs: int,
    random: np.random.Generator | None = None,
    *,
    noisy: tuple[Metric, ...] = METRICS,
) -> History:
    """Return histories of (strata, runs), measured with noise where there is chance."""
    healthy_n = np.full((len(MIX), 1), float(HEALTHY_MIN))
    incident_n = INCIDENT_MIN * MIX[:, None]

    def measured(rates: Rates, metric: Metric, n: np.ndarray) -> np.ndarray:
        wide = np.broadcast_to(rates[metric][:, None], (len(MIX), runs))
        if random is None or metric not in noisy:
            return wide
        return np.asarray(random.binomial(n.astype(int), wide) / n)

    return History(
        healthy={(g, m): measured(usual, m, healthy_n) for g in GROUPS for m in METRICS},
        incident={m: measured(incident, m, incident_n) for m in METRICS},
        healthy_n=healthy_n,
        incident_n=incident_n,
        mix=MIX,
    )


def traffic(rate: float) -> Traffic:
    """Share out so many requests a second."""
    return Traffic(
        exposed=rate * GROUP_SHARES[EXPOSED],
        recipient=rate * GROUP_SHARES[RECIPIENT],
        bystander=rate * GROUP_SHARES[BYSTANDER],
    )


def simulate(
    rates_at: RatesAt, past: History, *, rate: float, runs: int, seed: int, to_the_end: bool = False
) -> Outcome:
    """Run the rule until every run has a verdict, or to the deadline."""
    bounds = bounds_of(past, traffic(rate), Options())
    horizon_s = float(np.max(bounds.deadline_s)) + 2 * peek_s(rate)
    sizes = [len(part) for part in np.array_split(np.arange(runs), BATCHES) if len(part)]
    batches = [
        Batch(rates_at, bounds, rate=rate, seconds=horizon_s, runs=size, seed=[seed, number])
        for number, size in enumerate(sizes)
    ]
    verdict = np.full(runs, Verdict.OPEN, dtype=object)
    seconds, harmed = np.full(runs, np.nan), np.zeros(runs, bool)
    recovering_s = np.full(runs, np.nan)
    for now_s in range(peek_s(rate), int(horizon_s) + 1, peek_s(rate)):
        for batch in batches:
            batch.mature(now_s)
        signals = read(Side(batches), bounds)
        harmed |= signals.harmful >= 0
        recovering_s[np.isnan(recovering_s) & (signals.recovering >= 0)] = now_s
        found = np.broadcast_to(decide(signals, now_s, bounds), runs)
        first = (verdict == Verdict.OPEN) & (found != Verdict.OPEN)
        verdict[first], seconds[first] = found[first], now_s
        if not to_the_end and not (verdict == Verdict.OPEN).any():
            break
    return Outcome(verdict=verdict, seconds=seconds, recovering_s=recovering_s, harmed=harmed)


class Batch:
    """Runs that share arrivals."""

    def __init__(
        self,
        rates_at: RatesAt,
        bounds: Bounds,
        *,
        rate: float,
        seconds: float,
        runs: int,
        seed: list[int],
    ) -> None:
        random, options = np.random.default_rng(seed), bounds.options
        n = random.poisson(rate * seconds)
        start_s = np.sort(random.uniform(0, seconds, n))
        start_s = start_s[start_s >= options.grace_s]
        group = random.choice(len(GROUP_SHARES), len(start_s), p=list(GROUP_SHARES.values()))
        stratum = random.choice(len(MIX), len(start_s), p=MIX)
        bad = _outcomes(random, rates_at, start_s, group=group, stratum=stratum, runs=runs)
        self._offsets = np.array(options.offsets_s)
        self._waits = {
            options.wait_fast_s: [METRICS.index(FAST_FAILURE)],
            options.wait_s: [METRICS.index(metric) for metric in (FAILURE, SLOW, WRONG)],
        }
        self._drawn = start_s, group, stratum, bad
        self._lines: list[tuple[np.ndarray, _Line]] = []
        self.streams = {group: self._zeros(2, runs) for group in GROUPS}
        self.pairs = {group: self._zeros(3, runs) for group in TREATED}
        for g, name in enumerate(GROUP_SHARES):
            own = np.flatnonzero(group == g)
            line = _Line(start_s[own], start_s[own], stratum[own], bad[None, own])
            self._lines.append((self.streams[name], line))
        for name in TREATED:
            a, b = _paired(start_s, group, stratum, list(GROUP_SHARES).index(name), options.apart_s)
            later, earlier = np.maximum(start_s[a], start_s[b]), np.minimum(start_s[a], start_s[b])
            order = np.argsort(later, kind="stable")
            a, b = a[order], b[order]
            marks = np.stack([bad[a] & ~bad[b], bad[b] & ~bad[a]])
            line = _Line(later[order], earlier[order], stratum[a], marks)
            self._lines.append((self.pairs[name], line))

    def drawn(self, metric: Metric, *, run: int) -> Iterator[tuple[float, Group, int, bool]]:
        """Yield start, group, stratum and outcome of the requests of a run, by start."""
        start_s, group, stratum, bad = self._drawn
        names = list(GROUP_SHARES)
        for i in range(len(start_s)):
            outcome = bool(bad[i, METRICS.index(metric), run])
            yield float(start_s[i]), names[group[i]], int(stratum[i]), outcome

    def mature(self, now_s: float) -> None:
        """Count what has matured since the last call."""
        for held, line in self._lines:
            for wait_s, metrics in self._waits.items():
                line.take(held, metrics, now_s - wait_s, self._offsets)

    def _zeros(self, kinds: int, runs: int) -> np.ndarray:
        return np.zeros((kinds, len(METRICS), len(self._offsets), len(MIX), runs))


class _Line:
    """Requests or pairs in the order in which they mature."""

    def __init__(
        self, order_s: np.ndarray, since_s: np.ndarray, stratum: np.ndarray, marks: np.ndarray
    ) -> None:
        self._order_s, self._since_s, self._stratum = order_s, since_s, stratum
        self._marks = marks
        """(kinds, requests, metrics, runs)."""
        self._place = dict.fromkeys(range(len(METRICS)), 0)

    def take(
        self, held: np.ndarray, metrics: list[int], until_s: float, offsets: np.ndarray
    ) -> None:
        """Add what starts by then to the counts, (1 + kinds, metrics, offsets, strata, runs)."""
        first = self._place[metrics[0]]
        last = int(np.searchsorted(self._order_s, until_s, "right"))
        if last <= first:
            return
        self._place |= dict.fromkeys(metrics, last)
        counts = self._since_s[first:last] >= offsets[:, None, None]
        counts = counts & (self._stratum[first:last] == np.arange(len(MIX))[:, None])
        place = counts.astype(np.float32)
        marks = self._marks[:, first:last, metrics].astype(np.float32)
        # (offsets, strata, kinds, metrics, runs)
        bad = np.tensordot(place, marks, axes=([2], [1]))
        held[0, metrics] += place.sum(axis=2)[None, :, :, None]
        held[1:, metrics] += bad.transpose(2, 3, 0, 1, 4)


class Side:
    """The counts of all batches side by side, as the rule reads them."""

    def __init__(self, batches: list[Batch]) -> None:
        self._streams = {
            group: np.concatenate([batch.streams[group] for batch in batches], axis=-1)
            for group in GROUPS
        }
        self._pairs = {
            group: np.concatenate([batch.pairs[group] for batch in batches], axis=-1)
            for group in TREATED
        }

    def stream(self, group: Group, metric: Metric, since_s: float) -> Stream:
        """Return single requests; since the start offset."""
        return Stream(*self._streams[group][:, METRICS.index(metric), OFFSETS.index(since_s)])

    def pairs(self, group: Group, metric: Metric, since_s: float) -> Pairs:
        """Return pairs; both since the start offset."""
        return Pairs(*self._pairs[group][:, METRICS.index(metric), OFFSETS.index(since_s)])


def _outcomes(
    random: np.random.Generator,
    rates_at: RatesAt,
    start_s: np.ndarray,
    *,
    group: np.ndarray,
    stratum: np.ndarray,
    runs: int,
) -> np.ndarray:
    """Draw (requests, metrics, runs): each metric by itself, at the rate of the second of start."""
    second = start_s.astype(int)
    seconds = int(second.max(initial=0)) + 1
    table = np.empty((len(GROUP_SHARES), seconds, len(METRICS), len(MIX)))
    for g, name in enumerate(GROUP_SHARES):
        for at in range(seconds):
            rates = rates_at(name, at + 0.5)
            table[g, at] = [rates[metric] for metric in METRICS]
    rate = table[group, second, :, stratum].astype(np.float32)
    drawn = random.random((len(start_s), len(METRICS), runs), dtype=np.float32)
    return np.asarray(drawn < rate[:, :, None])


def _paired(
    start_s: np.ndarray, group: np.ndarray, stratum: np.ndarray, own: int, apart_s: float
) -> tuple[np.ndarray, np.ndarray]:
    """Pair requests of a group with bystanders of their stratum, first come first served."""
    control = list(GROUP_SHARES).index(BYSTANDER)
    waiting: dict[tuple[int, int], deque[int]] = {
        (g, k): deque() for g in (own, control) for k in range(len(MIX))
    }
    found: list[tuple[int, int]] = []
    starts, groups, strata = start_s.tolist(), group.tolist(), stratum.tolist()
    for i in np.flatnonzero((group == own) | (group == control)).tolist():
        others = waiting[control if groups[i] == own else own, strata[i]]
        while others and starts[others[0]] < starts[i] - apart_s:
            others.popleft()
        if not others:
            waiting[groups[i], strata[i]].append(i)
        elif groups[i] == own:
            found.append((i, others.popleft()))
        else:
            found.append((others.popleft(), i))
    pairs = np.array(found, dtype=int).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]
