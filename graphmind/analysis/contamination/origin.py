"""Where a bad value came from: writes that failing traces descend from, and healthy ones not."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import log
from typing import Final

import numpy as np
import pyarrow.compute as pc

from graphmind.analysis.contamination.failures import Failures
from graphmind.analysis.evidence import kl_gain
from graphmind.analysis.incidence import Floats
from graphmind.analysis.window import NEVER
from graphmind.telemetry.lineage import Ancestry, History, ancestry_of
from graphmind.telemetry.tree import Bools, Ints

ALPHA: Final = 0.01
"""Chance that a quiet history shows an origin; as of the shared causes (analysis/options.py)."""
FAILURES_MIN: Final = 5
"""Failing traces that must descend from a write to blame it; as of the shared causes."""
WRITERS: Final = {
    "kv_key": "key",
    "written_by_agent": "agent",
    "written_by_trace": "trace_id",
    "fed_by_agent": "agent",
    "fed_by_trace": "trace_id",
}
"""Kinds of item that name writes, and the column of ACCESSES that holds the name."""


@dataclass(frozen=True, kw_only=True)
class Suspects:
    """Writes that traces of the incident descend from, up to three writes back."""

    write: Ints
    """Rows, by time."""
    failed: Ints
    """Traces of the incident that descend from it and failed after they read."""
    gain: Floats
    """How far that exceeds their share among all traces, nats."""
    nearest: Ints
    """Writes passed to the nearest of them."""


def suspects_in(history: History, failures: Failures) -> Suspects:
    """Weigh every write by who descends from it; traces of other incidents do not count."""
    ancestry = ancestry_of(history)
    reads = history.reads[ancestry.read]
    trace = history.trace[reads]
    at_ns = history.accesses["at_ns"].to_numpy()[reads]
    failed = failures.own[trace] & failures.harmed(trace, at_ns)
    healthy = failures.began_ns[trace] == NEVER
    width = len(history.trace)
    own = np.bincount(ancestry.write[failed], minlength=width)
    exposed = own + np.bincount(ancestry.write[healthy], minlength=width)
    write = np.flatnonzero(own)
    write = write[np.lexsort((write, history.moment[write]))]
    return Suspects(
        write=write,
        failed=own[write],
        gain=kl_gain(
            exposed[write].astype(np.float64),
            own[write].astype(np.float64),
            np.asarray(exposed[write] * _base_rate(failures), np.float64),
        ),
        nearest=_nearest(ancestry, failed, width)[write],
    )


def blamed_writes(history: History, suspects: Suspects, items: Iterable[tuple[str, str]]) -> Ints:
    """Return the writes that a cause of items (kind, name) stands for; none if it names no writer.

    Those that did harm; and of a writer, those since the first of them that nobody has read yet.
    """
    blamed = [np.zeros(0, np.int64)]
    for kind, name in items:
        if kind not in WRITERS:
            continue
        named = pc.equal(history.accesses[WRITERS[kind]], name)
        of_item = pc.fill_null(named, False).to_numpy() & history.written
        direct = (suspects.nearest == 1) | np.full(len(suspects.write), kind.startswith("fed_by"))
        harmful = suspects.write[of_item[suspects.write] & direct]
        blamed.append(harmful)
        if kind != "kv_key" and len(harmful):
            later = of_item & (history.moment > history.moment[harmful].min())
            later[history.sources] = False
            blamed.append(np.flatnonzero(later))
    return np.unique(np.concatenate(blamed))


def patient_zero(suspects: Suspects, blamed: Ints) -> int | None:
    """Return the write that explains the failures best, the earliest of equals; None if none does.

    Of the writes blamed, if there are any: another one must explain more by ln(1 / ALPHA). Without
    them a write must stand out among all that were weighed.
    """
    enough = suspects.failed >= FAILURES_MIN
    if not enough.any():
        return None
    own = np.isin(suspects.write, blamed) & enough
    best = _best(suspects, enough)
    gain = float(suspects.gain[best])
    if own.any():
        of_cause = _best(suspects, own)
        ahead = gain - float(suspects.gain[of_cause])
        return int(suspects.write[best if ahead >= log(1 / ALPHA) else of_cause])
    return int(suspects.write[best]) if gain >= log(len(enough) / ALPHA) else None


def _best(suspects: Suspects, among: Bools) -> int:
    """Return the first place of the largest gain; writes stand by time."""
    return int(np.argmax(np.where(among, suspects.gain, -1.0)))


def _base_rate(failures: Failures) -> float:
    own = int(failures.own.sum())
    return own / max(own + int((failures.began_ns == NEVER).sum()), 1)


def _nearest(ancestry: Ancestry, failed: Bools, width: int) -> Ints:
    """Return the fewest hops from each write to a failing trace."""
    nearest = np.full(width, NEVER)
    np.minimum.at(nearest, ancestry.write[failed], ancestry.hops[failed])
    return nearest
