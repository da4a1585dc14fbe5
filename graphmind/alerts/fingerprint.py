"""The fingerprint of a failing trace: what went wrong, where, with which code.

It needs no analysis, so it can be counted as traces settle. That of an incident, which compares
whole span trees, is in ``matching``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from graphmind.incidents.report import SYMPTOM_WORDS
from graphmind.matching.names import plain_code, plain_operation
from graphmind.matching.record import digest
from graphmind.telemetry.facts import Facts
from graphmind.telemetry.symptoms import CHANNEL

MS_NS: Final = 1_000_000
_PARTS: Final = ["kind", "fault_path", "error_code", "fault_module"]


@dataclass(frozen=True, kw_only=True)
class FailureFingerprint:
    """How a trace fails, without ids and numbers."""

    kind: str
    """Its most telling symptom."""
    path: str
    """Operations from the root to where it went wrong, joined by `` > ``; may be empty."""
    code: str
    module: str

    @property
    def hash(self) -> str:
        """Hash of all of it, 16 hexadecimal digits."""
        return digest(self.kind, self.path, self.code, self.module)

    @property
    def label(self) -> str:
        """It in words."""
        where = self.module or self.path.rpartition(" > ")[2]
        code = f" ({self.code})" if self.code else ""
        return f"traces {SYMPTOM_WORDS[self.kind]}{f' at {where}' if where else ''}{code}"


@dataclass(frozen=True, kw_only=True)
class Failures:
    """The failing traces of one fingerprint, by the time at which they went wrong."""

    fingerprint: FailureFingerprint
    trace_ids: tuple[str, ...]
    began_ms: NDArray[np.int64]
    """Ascending, (traces,)."""


def failures_by_fingerprint(facts: Facts) -> list[Failures]:
    """Group the failing traces of some facts, by the hash of their fingerprint.

    A trace fails if a symptom of it has a channel; one that is incomplete does not.
    """
    groups: dict[FailureFingerprint, list[tuple[int, str]]] = {}
    rows = _failing(facts).group_by(_PARTS).aggregate([("trace_id", "list"), ("began_ns", "list")])
    for row in rows.to_pylist():
        times = [began // MS_NS for began in row["began_ns_list"]]
        pairs = zip(times, row["trace_id_list"], strict=True)
        groups.setdefault(_plain(row), []).extend(pairs)
    found = [_failures(fingerprint, pairs) for fingerprint, pairs in groups.items()]
    return sorted(found, key=lambda each: each.fingerprint.hash)


def _failing(facts: Facts) -> pa.Table:
    """Return a row a failing trace: its id, the parts of its fingerprint, and when it began."""
    shown = facts.symptoms.filter(pc.is_valid(facts.symptoms["channel"]))
    complete = pc.fill_null(pc.not_equal(facts.traces["outcome"], "incomplete"), True)
    traces = facts.traces.filter(complete)
    place = pc.index_in(shown["trace_id"], value_set=traces["trace_id"].combine_chunks())
    rank = pc.index_in(shown["kind"], value_set=pa.array(list(CHANNEL)))
    table = shown.select(["kind", "began_ns"]).append_column("place", place)
    table = table.append_column("rank", rank).filter(pc.is_valid(place))
    table = table.sort_by([(name, "ascending") for name in ("place", "rank", "began_ns")])
    places = table["place"].to_numpy()
    first = np.flatnonzero(np.diff(places, prepend=-1))
    own = traces.take(pa.array(places[first]))
    table = table.take(pa.array(first))
    began = pc.coalesce(table["began_ns"], own["start_ns"])
    named = own.select(["trace_id", *_PARTS[1:]]).append_column("kind", table["kind"])
    return named.append_column("began_ns", began)


def _plain(row: dict[str, Any]) -> FailureFingerprint:
    return FailureFingerprint(
        kind=row["kind"],
        path=plain_operation(row["fault_path"] or ""),
        code=plain_code(row["error_code"] or ""),
        module=row["fault_module"] or "",
    )


def _failures(fingerprint: FailureFingerprint, pairs: Sequence[tuple[int, str]]) -> Failures:
    ordered = sorted(pairs)
    return Failures(
        fingerprint=fingerprint,
        trace_ids=tuple(trace for _, trace in ordered),
        began_ms=np.array([began for began, _ in ordered], np.int64),
    )
