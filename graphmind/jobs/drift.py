"""Which agents answer more slowly, or go other ways, than in the period before (S43)."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from graphmind.analysis.courses import answers
from graphmind.analysis.drift import Drift, GroupPeriods, measure_drift, shift_began
from graphmind.archive.port import Archive, Selection
from graphmind.archive.tallies import Stretch
from graphmind.telemetry.assembly import assemble

Q_MAX: Final = 0.01
"""Share of false alarms accepted among the agents reported as drifting (chosen)."""
RESPONSE_MIN: Final = float(np.log(1.1))
BRANCH_MIN: Final = 0.01
"""Bits: half of the traces becoming 62 %. Below both a shift is too small to matter (chosen)."""
AGENTS_MAX: Final = 200
TRACES_MAX: Final = 400
"""Traces read of an agent and period (chosen): a shift of its median by 10 % is seen with them
where its times spread by half."""
BRANCHES_MAX: Final = 12
"""Ways told apart, those of most traces; the others count as one (chosen)."""
HOUR_MS: Final = 3_600_000
MS_NS: Final = 1_000_000
Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class _Periods:
    """Two stretches of the same length, one after the other, ns."""

    from_ns: int
    middle_ns: int
    until_ns: int


def drift(
    archive: Archive,
    *,
    until_ms: int | None = None,
    hours: float = 1.0,
    agent: str | None = None,
) -> list[Row]:
    """Return the drift of each agent: the ``hours`` before ``until_ms`` against as many before.

    Without ``until_ms`` up to the last trace. Where the archive begins later, what there is of it
    is halved. Farthest first: ``group``, ``response_shift`` (ln of the medians' ratio),
    ``branch_shift`` (bits), ``mean_ms``, ``was_mean_ms``, ``since_ms`` (when it began; None where
    nothing drifted), ``score`` (0 to 1; 0: not sure, or too small to matter), ``q_value``.
    With an ``agent`` of that one alone, which is called sure no sooner than beside the others.
    """
    periods = _periods(archive, until_ms, hours)
    drawn = _drawn(archive, periods, agent)
    groups = {name: _Group(name, rows, periods.middle_ns) for name, rows in _by_name(drawn)}
    among = 0 if agent is None else _agents(archive, periods)
    found = measure_drift([group.periods() for group in groups.values()], among=among)
    rows = [_row(each, groups[each.group]) for each in found]
    return sorted(rows, key=lambda row: (-row["score"], row["q_value"], row["group"]))


def _periods(archive: Archive, until_ms: int | None, hours: float) -> _Periods:
    before = None if until_ms is None else until_ms * MS_NS
    last, first = archive.queries.last_start(before_ns=before), archive.first_start()
    until = (0 if last is None else last + 1) if before is None else before
    length = round(hours * HOUR_MS) * MS_NS
    if first is not None and last is not None and first <= last:
        length = min(length, max((until - first) // 2, 1))
    return _Periods(from_ns=until - 2 * length, middle_ns=until - length, until_ns=until)


def _agents(archive: Archive, periods: _Periods) -> int:
    """Count the agents of the later period."""
    later = Stretch(from_ns=periods.middle_ns, until_ns=periods.until_ns)
    found: int = archive.tallies.groups(later, "agent", groups_max=AGENTS_MAX).num_rows
    return found


def _drawn(archive: Archive, periods: _Periods, agent: str | None) -> pa.Table:
    """Return the answers of agents in both periods (schema ANSWERS with start_ns), oldest first."""
    bounds = (periods.from_ns, periods.middle_ns, periods.until_ns)
    sampled = pa.concat_tables(
        archive.tallies.sampled(
            Stretch(from_ns=begin, until_ns=end),
            "agent",
            groups_max=AGENTS_MAX,
            traces_max=TRACES_MAX,
            name=agent,
        )
        for begin, end in pairwise(bounds)
    )
    ids = pc.unique(sampled["trace_id"].combine_chunks())
    found = answers(assemble(archive.bare_spans(Selection(trace_ids=ids))))
    wanted = sampled.rename_columns(["agent", "trace_id", "start_ns"])
    return found.join(wanted, ["trace_id", "agent"], join_type="inner").sort_by(
        [("agent", "ascending"), ("start_ns", "ascending"), ("trace_id", "ascending")]
    )


def _by_name(drawn: pa.Table) -> list[tuple[str, pa.Table]]:
    names, first = np.unique(drawn["agent"].to_numpy(zero_copy_only=False), return_index=True)
    ends = np.append(first, drawn.num_rows)[1:].tolist()
    return [
        (str(name), drawn.slice(begin, end - begin))
        for name, begin, end in zip(names, first.tolist(), ends, strict=True)
    ]


class _Group:
    """The answers of one agent in order of time, and which of them are of now."""

    def __init__(self, name: str, rows: pa.Table, middle_ns: int) -> None:
        self.name = name
        self.starts = rows["start_ns"].to_numpy()
        self.ms = rows["mean_ms"].to_numpy()
        self.is_now = self.starts >= middle_ns
        self.branch = _numbered_ways(rows["branch"].to_numpy(zero_copy_only=False))

    def periods(self) -> GroupPeriods:
        """Return both periods."""
        ways = int(self.branch.max(initial=0)) + 1
        was, now = ~self.is_now, self.is_now
        return GroupPeriods(
            group=self.name,
            was_ms=self.ms[was],
            now_ms=self.ms[now],
            was_branches=np.bincount(self.branch[was], minlength=ways).astype(float),
            now_branches=np.bincount(self.branch[now], minlength=ways).astype(float),
        )

    def began_ms(self, *, by_response: bool) -> int:
        """Return when its response, or its ways, began to differ."""
        values = self.ms
        if not by_response:
            both = self.periods()
            gains = both.now_branches / both.now_branches.sum()
            gains -= both.was_branches / both.was_branches.sum()
            values = (gains[self.branch] > 0).astype(float)
        place = min(shift_began(values), len(values) - 1)
        return int(self.starts[place]) // MS_NS


def _numbered_ways(branch: NDArray[Any]) -> NDArray[np.int64]:
    """Number the ways from the most frequent down; those beyond the bound have the last number."""
    _, which, counts = np.unique(branch, return_inverse=True, return_counts=True)
    rank = np.empty(len(counts), np.int64)
    rank[np.argsort(-counts, kind="stable")] = np.arange(len(counts))
    return np.minimum(rank, BRANCHES_MAX)[which]


def _row(found: Drift, group: _Group) -> Row:
    response = 1 - float(np.exp(-abs(found.response_shift)))
    is_slower = abs(found.response_shift) >= RESPONSE_MIN
    is_astray = found.branch_shift >= BRANCH_MIN
    sure = found.q_value <= Q_MAX and (is_slower or is_astray)
    by_response = is_slower and (response >= found.branch_shift or not is_astray)
    return {
        "group": found.group,
        "response_shift": found.response_shift,
        "branch_shift": found.branch_shift,
        "mean_ms": found.mean_ms,
        "was_mean_ms": found.was_mean_ms,
        "since_ms": group.began_ms(by_response=by_response) if sure else None,
        "score": max(response, found.branch_shift) if sure else 0.0,
        "q_value": found.q_value,
    }
