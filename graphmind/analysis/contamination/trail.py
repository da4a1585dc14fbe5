"""The trail of a bad value: from where it was written first to all that it reached."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graphmind.analysis.contamination.failures import Failures
from graphmind.analysis.contamination.reached import reached_keys, reached_traces
from graphmind.analysis.contamination.rollback import (
    Rollback,
    Write,
    rollbacks,
    write_at,
    writes_at,
)
from graphmind.analysis.contamination.spread import spread_from
from graphmind.analysis.window import NEVER
from graphmind.telemetry.lineage import History
from graphmind.telemetry.tree import Ints


@dataclass(frozen=True, kw_only=True)
class Ring:
    """Traces at one distance from the origin."""

    hops: int
    traces: int
    harmed: int
    """Those that failed after they read."""


@dataclass(frozen=True, kw_only=True)
class PatientZero:
    """The write that explains the failures best."""

    write: Write
    explained: int
    """Traces of the incident that failed after they read what descends from it."""
    share: float
    """Those over all traces of the incident known to the history."""


@dataclass(frozen=True, kw_only=True)
class Trail:
    """Where a bad value began, how far it came and what it put at risk."""

    origins: tuple[Write, ...]
    """By time."""
    patient_zero: PatientZero | None
    rings: tuple[Ring, ...]
    """By distance, from 1."""
    others: Ring
    """The traces that it did not reach, at distance 0; ``harmed`` failed all the same."""
    traces: pa.Table
    """Schema REACHED_TRACES. At risk are those still healthy."""
    keys: pa.Table
    """Schema REACHED_KEYS. At risk are those of which no harmed trace has read yet."""
    rollbacks: tuple[Rollback, ...]
    """Keys whose last value is bad, by key."""
    contaminated: pa.Table
    """Columns from, to, key, hops: harmed traces, by whose write, through how many."""


def follow(
    history: History,
    failures: Failures,
    origins: Ints,
    *,
    patient_zero: int | None = None,
    hops_max: int | None = None,
) -> Trail:
    """Follow writes (rows) over keys and traces to the end of the history.

    ``patient_zero`` is the row of the write to blame first; it is an origin, too.
    """
    if patient_zero is not None:
        origins = np.union1d(origins, patient_zero)
    origins = origins[np.lexsort((origins, history.moment[origins]))]
    hops = spread_from(history, origins, hops_max=hops_max)
    traces = reached_traces(history, hops, failures)
    first = origins[:0] if patient_zero is None else np.array([patient_zero])
    alone = reached_traces(history, spread_from(history, first, hops_max=hops_max), failures)
    zero = _blame(history, failures, patient_zero, alone)
    return Trail(
        origins=writes_at(history, origins),
        patient_zero=zero,
        rings=_rings(traces),
        others=_others(failures, history.numbers_of(traces["trace_id"])),
        traces=traces,
        keys=reached_keys(history, hops, failures),
        rollbacks=tuple(rollbacks(history, hops, failures)),
        contaminated=_contaminated(traces, zero, alone),
    )


def _rings(traces: pa.Table) -> tuple[Ring, ...]:
    hops = traces["hops"].to_numpy()
    harmed = np.bincount(hops[traces["harmed"].to_numpy()], minlength=int(hops.max(initial=0)) + 1)
    reached = np.bincount(hops, minlength=len(harmed))
    return tuple(
        Ring(hops=distance, traces=int(reached[distance]), harmed=int(harmed[distance]))
        for distance in range(1, len(reached))
    )


def _others(failures: Failures, reached: Ints) -> Ring:
    failed = failures.began_ns != NEVER
    return Ring(
        hops=0,
        traces=len(failed) - len(reached),
        harmed=int(failed.sum() - failed[reached].sum()),
    )


def _blame(
    history: History, failures: Failures, row: int | None, alone: pa.Table
) -> PatientZero | None:
    """``alone`` are the traces that it reaches."""
    if row is None:
        return None
    harmed = alone.filter(alone["harmed"])["trace_id"]
    explained = int(failures.own[history.numbers_of(harmed)].sum())
    return PatientZero(
        write=write_at(history, row),
        explained=explained,
        share=explained / max(int(failures.own.sum()), 1),
    )


def _contaminated(traces: pa.Table, zero: PatientZero | None, alone: pa.Table) -> pa.Table:
    """Pair harmed traces with the writer they read from, and with patient zero."""
    direct = _ends(traces)
    direct = direct.set_column(3, "hops", pa.array(np.ones(direct.num_rows, np.int64)))
    if zero is None:
        return direct
    far = _ends(alone).filter(pc.greater(_ends(alone)["hops"], 1))
    origin = pa.repeat(pa.scalar(zero.write.trace_id), far.num_rows)
    return pa.concat_tables([direct, far.set_column(1, "to", origin)])


def _ends(traces: pa.Table) -> pa.Table:
    ends = {"trace_id": "from", "writer_id": "to", "key": "key", "hops": "hops"}
    return traces.filter(traces["harmed"]).select(list(ends)).rename_columns(list(ends.values()))
