"""Matching an incident to past ones: recall, false matches and time, planted and end to end.

    python -m benchmarks matching [--library 100 1000 10000 100000] [--queries 1000] [--seeds 1]
                                  [--noise 0.15] [--windows 40] [--first 1] [--each]

Planted: a library of archetypes (``archetypes.py``), half the queries happen again, half are new.
Milliseconds are of processor time. Beside it the same without a choice of candidates, and the
cosine of the span trees alone.
End to end: simulated windows one after another (``recurrences.py``).
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.matching.archetypes import NOISE, World
from benchmarks.matching.recurrences import report, run_windows
from graphmind.matching.library import Library
from graphmind.matching.record import Entry
from graphmind.matching.verdict import SEEN_MIN, SIMILAR_MIN, seen_from

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What a method answers to the queries; those that happened before come first."""

    truths: tuple[str, ...]
    """Id of the case that each query which happened before is."""
    named: tuple[tuple[str, ...], ...]
    """Ids of each query's five best matches."""
    scores: Floats
    """(queries,), of the best match."""
    ms: float

    def recall(self, places: int) -> float:
        """Share of what happened before whose case is among the first so many."""
        pairs = zip(self.truths, self.named, strict=False)
        return float(np.mean([truth in named[:places] for truth, named in pairs]))

    def found(self, least: float) -> float:
        """Share of what happened before whose case comes first, at this score at least."""
        first = zip(self.truths, self.named, self.scores.tolist(), strict=False)
        return float(np.mean([named[0] == t and score >= least for t, named, score in first]))

    def false(self, least: float) -> float:
        """Share of what is new whose best match has this score at least."""
        return float(np.mean(self.scores[len(self.truths) :] >= least))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="matching", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--library", type=int, nargs="*", default=[100, 1_000, 10_000])
    parser.add_argument("--queries", type=int, default=1_000, help="half of them new")
    parser.add_argument("--seeds", type=int, default=1, help="worlds of each size")
    parser.add_argument("--noise", type=float, default=NOISE, help="share of calls and codes")
    parser.add_argument("--windows", type=int, default=40, help="simulated; 0 leaves them out")
    parser.add_argument("--first", type=int, default=1, help="seed of the first window")
    parser.add_argument("--traces", type=int, default=2_000, help="of a window")
    parser.add_argument("--incidents", type=int, default=3, help="of a window")
    parser.add_argument("--each", action="store_true", help="show each incident of the windows")
    given = parser.parse_args(arguments)
    for size in given.library:
        for seed in range(1, given.seeds + 1):
            compare(size, given.queries, seed, given.noise)
    if given.windows:
        seeds = range(given.first, given.first + given.windows)
        report(run_windows(seeds, given.traces, given.incidents), each=given.each)
    return 0


def compare(size: int, queries: int, seed: int, noise: float) -> None:
    """Print a line of each method on one world."""
    world = World(seed, noise=noise)
    archetypes = world.archetypes(size + queries // 2)
    began = time.process_time()
    library = Library.of(world.entries("past", archetypes[:size]))
    again = world.random.choice(size, min(queries // 2, size), replace=False)
    asked = [
        *world.entries("again", [archetypes[number] for number in again.tolist()]),
        *world.entries("new", archetypes[size:]),
    ]
    truths = tuple(library.cases[number].incident_id for number in again.tolist())
    planted = time.process_time() - began
    print(f"\nlibrary {size}, world {seed}: planted in {planted:.0f} s")
    print(f"{'method':16} {'recall@1':>8} {'@5':>6}  at score: false, found{'ms':>38}")
    levels = (seen_from(size), SEEN_MIN, SIMILAR_MIN)
    for method, exact in (("matching", False), ("every case", True)):
        print_answers(method, by_matching(library, truths, asked, exact=exact), levels)
    print_answers("structure only", by_structure(library, truths, asked), (0.95, 0.9, 0.8))


def print_answers(method: str, answers: Answers, levels: Sequence[float]) -> None:
    at = "  ".join(
        f"{level:.2f}: {answers.false(level):.3f} {answers.found(level):.3f}" for level in levels
    )
    print(f"{method:16} {answers.recall(1):8.3f} {answers.recall(5):6.3f}  {at} {answers.ms:8.1f}")


def by_matching(
    library: Library, truths: tuple[str, ...], asked: Sequence[Entry], *, exact: bool
) -> Answers:
    """Rank as the product does; ``exact`` without a choice of candidates."""
    library.rank(asked[0].fingerprint)  # Builds what is built once.
    began = time.process_time()
    ranked = [library.rank(entry.fingerprint, exact=exact) for entry in asked]
    ms = (time.process_time() - began) / len(asked) * 1000
    return Answers(
        truths=truths,
        named=tuple(
            tuple(library.cases[row].incident_id for row in own.rows[:5].tolist()) for own in ranked
        ),
        scores=np.array([own.scores[0] for own in ranked]),
        ms=ms,
    )


def by_structure(library: Library, truths: tuple[str, ...], asked: Sequence[Entry]) -> Answers:
    """Compare the span trees with every case."""
    began = time.process_time()
    best, scores = [], []
    for entry in asked:
        cosines = library.structure @ library.vector(entry.fingerprint.structure)
        rows = np.argsort(-cosines, kind="stable")[:5]
        best.append(tuple(library.cases[row].incident_id for row in rows.tolist()))
        scores.append(cosines[rows[0]])
    ms = (time.process_time() - began) / len(asked) * 1000
    return Answers(truths=truths, named=tuple(best), scores=np.array(scores), ms=ms)
