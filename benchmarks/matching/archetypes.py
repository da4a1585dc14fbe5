"""A planted library: incidents of many archetypes, each seen anew through noise.

An archetype is a span tree, the span that fails in it, an error code and a class of causes. Every
incident of it is seen in eight traces of its own: calls are dropped, repeated and added, some
traces end with another code, and the cause is not always named, or named wrongly.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from graphmind.matching.record import Case, Entry, Fingerprint, Signature, digest
from graphmind.matching.structure import find_shapes, share

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

TREES, OPERATIONS, CODES, CLASSES = 300, 60, 16, 40
SPANS: Final = (14, 34)
"""Least and most spans of a tree; with 300 trees, structure alone then finds about as many of
10,000 cases as in the design's measurement (.81 against .76)."""
TRACES: Final = 8
NOISE: Final = 0.15
CAUSE_RIGHT, CAUSE_UNNAMED = 0.85, 0.10
"""The rest names a wrong class."""
BATCH: Final = 500
"""Incidents whose traces are in memory at once."""


@dataclass(frozen=True, kw_only=True)
class Tree:
    """A span tree: parents precede their children."""

    parent: Ints
    operation: Ints


@dataclass(frozen=True, order=True, kw_only=True)
class Archetype:
    """What happens again."""

    tree: int
    span: int
    code: int
    cause: int
    climbs: int
    """How many of the callers fail with it."""


class World:
    """Trees and archetypes drawn from a seed."""

    def __init__(self, seed: int, *, noise: float = NOISE) -> None:
        self.noise = noise
        self.random = np.random.default_rng(seed)
        self.trees = [self._tree() for _ in range(TREES)]

    def archetypes(self, count: int) -> list[Archetype]:
        """Draw different archetypes."""
        drawn: dict[tuple[int, int, int, int], Archetype] = {}
        while len(drawn) < count:
            tree = int(self.random.integers(TREES))
            span = int(self.random.integers(1, len(self.trees[tree].parent)))
            code, cause = int(self.random.integers(CODES)), int(self.random.integers(CLASSES))
            climbs = int(self.random.geometric(0.4))
            drawn.setdefault(
                (tree, span, code, cause),
                Archetype(tree=tree, span=span, code=code, cause=cause, climbs=climbs),
            )
        return list(drawn.values())

    def entries(self, prefix: str, archetypes: Sequence[Archetype]) -> Iterator[Entry]:
        """Let each archetype happen once; ids are the prefix with a number."""
        for first in range(0, len(archetypes), BATCH):
            batch = archetypes[first : first + BATCH]
            spans, failing = self._traces(batch)
            shapes = find_shapes(spans, failing)
            groups = [np.arange(n * TRACES, (n + 1) * TRACES) for n in range(len(batch))]
            for number, (archetype, own) in enumerate(
                zip(batch, share(shapes, groups), strict=True), first
            ):
                yield Entry(
                    case=_case(f"{prefix}{number:06}"),
                    fingerprint=Fingerprint(
                        structure=own.weights,
                        error_codes=self._codes(archetype),
                        cause_class=self._cause(archetype),
                        failing_path="",
                        signature=Signature(
                            structure_fingerprint=digest(*own.failing),
                            metric_signature={},
                            log_signature=(),
                        ),
                    ),
                )

    def _tree(self) -> Tree:
        """Draw a tree of operations that many trees use."""
        count = int(self.random.integers(*SPANS))
        parents = [-1] + [int(self.random.integers(max(0, n - 6), n)) for n in range(1, count)]
        return Tree(
            parent=np.array(parents, np.int64),
            operation=self.random.integers(OPERATIONS, size=count),
        )

    def _codes(self, archetype: Archetype) -> dict[str, float]:
        """Count the codes of the traces; some end with another one."""
        other = self.random.integers(CODES, size=TRACES)
        codes = np.where(self.random.random(TRACES) < self.noise, other, archetype.code)
        names, counts = np.unique(codes, return_counts=True)
        return {
            f"code-{chr(97 + n)}": c / TRACES
            for n, c in zip(names.tolist(), counts.tolist(), strict=True)
        }

    def _cause(self, archetype: Archetype) -> str | None:
        chance = self.random.random()
        if chance < CAUSE_UNNAMED:
            return None
        right = chance < CAUSE_UNNAMED + CAUSE_RIGHT
        return f"tool class-{archetype.cause if right else int(self.random.integers(CLASSES))}"

    def _traces(self, batch: Sequence[Archetype]) -> tuple[pa.Table, Bools]:
        """Return the spans of the traces of some incidents, and which of them fail."""
        parent, operation, failing, trace = _planted(self.trees, batch)
        inner = parent >= 0
        chance = self.random.random(len(parent))
        dropped = inner & ~failing & (3 * chance < self.noise)
        parent = _without(parent, dropped)
        third = np.floor(3 * chance / self.noise)
        again = np.flatnonzero(inner & (third == 1))
        added = np.flatnonzero(third == 2)
        parent = np.concatenate([parent, parent[again], added])
        operation = np.concatenate(
            [operation, operation[again], self.random.integers(OPERATIONS, size=len(added))]
        )
        failing = np.concatenate([failing, failing[again], np.zeros(len(added), bool)])
        trace = np.concatenate([trace, trace[again], trace[added]])
        kept = np.flatnonzero(np.append(~dropped, np.ones(len(again) + len(added), bool)))
        row = np.full(len(parent), -1)
        row[kept] = np.arange(len(kept))
        above = parent[kept]
        spans = pa.table(
            {
                "module": NAMES.take(pa.array(operation[kept])),
                "name": NAMES.take(pa.array(operation[kept])),
                "parent_row": np.where(above >= 0, row[above], -1),
                "trace_row": trace[kept],
            }
        )
        return spans, failing[kept]


NAMES: Final = pa.array([f"Step{chr(65 + n // 26)}{chr(65 + n % 26)}" for n in range(OPERATIONS)])


def _planted(trees: Sequence[Tree], batch: Sequence[Archetype]) -> tuple[Ints, Ints, Bools, Ints]:
    """Return parent row, operation, failing and trace of the spans before any noise."""
    parents, operations, fails = [], [], []
    start = 0
    for archetype in batch:
        tree = trees[archetype.tree]
        fail = np.zeros(len(tree.parent), bool)
        span = archetype.span
        for _ in range(archetype.climbs):
            fail[span] = True
            span = int(tree.parent[span])
            if span < 0:
                break
        for _ in range(TRACES):
            parents.append(np.where(tree.parent >= 0, tree.parent + start, -1))
            start += len(tree.parent)
        operations.append(np.tile(tree.operation, TRACES))
        fails.append(np.tile(fail, TRACES))
    trace = np.repeat(np.arange(len(parents)), [len(own) for own in parents])
    return np.concatenate(parents), np.concatenate(operations), np.concatenate(fails), trace


def _without(parent: Ints, dropped: Bools) -> Ints:
    """Hand the children of dropped spans to the next span above that is kept."""
    above = parent.copy()
    while (lost := (above >= 0) & dropped[above]).any():
        above[lost] = parent[above[lost]]
    return above


def _case(incident_id: str) -> Case:
    return Case(
        incident_id=incident_id,
        title=incident_id,
        symptom="error",
        root_cause=None,
        root_node=None,
        command=None,
        seen_ms=0,
    )
