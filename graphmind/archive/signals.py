"""The port of what is archived beside spans: lines of logs and points of metrics, durable."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What one append of signals changed."""

    new: int
    duplicate: int


@dataclass(frozen=True, kw_only=True)
class Between:
    """A stretch of time, ``from_ns <= time < until_ns``; open where nothing is said."""

    from_ns: int = -(2**63)
    until_ns: int = 2**63 - 1


EVER = Between()


class Signals(Protocol):
    """Lines and points beside an archive; the same owner, the same promises of durability."""

    def append_lines(self, batches: Iterable[pa.RecordBatch]) -> Kept:
        """Store lines (schema LINES, with a time); one known by its ``line_id`` is a duplicate.

        All of the batches are durable when this returns, none if it raises.
        """

    def append_points(self, batches: Iterable[pa.RecordBatch]) -> Kept:
        """Store points (schema POINTS, with name, time and labels) in the same way.

        Name, labels, time and the trace of an exemplar identify a point; the first value stays.
        """

    def lines(
        self,
        when: Between = EVER,
        *,
        trace_ids: pa.Array | None = None,
    ) -> pa.Table:
        """Lines of a time, of some traces, by time, then line_id.

        Without bounds on time every line is looked at.
        """

    def untraced_lines(self, within: Mapping[str, Between], *, most: int) -> pa.Table:
        """Lines that belong to no trace, of each service in its time, by time, then line_id.

        Of a service that logged more than ``most`` the first come.
        """

    def logged(self, when: Between, trace_ids: pa.Array) -> pa.Table:
        """Which of the traces logged lines of which pattern (schema LOGGED), by both."""

    def points(
        self,
        when: Between = EVER,
        *,
        names: Iterable[str] | None = None,
        prefix: str = "",
        agent: str | None = None,
        module: str | None = None,
        trace_ids: pa.Array | None = None,
    ) -> pa.Table:
        """Points of a time, by name, labels, then time.

        ``prefix`` is of their names; ``trace_ids`` are those of exemplars.
        """

    def prune(self, before_ns: int) -> int:
        """Delete lines and points before a moment; return how many."""

    def counts(self) -> dict[str, int]:
        """Return the number of rows by table: lines, points."""
