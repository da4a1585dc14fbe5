"""The port of what people look up: traces by filter, and how what they touch fares."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import pyarrow as pa

from graphmind.telemetry.facts import TRACES

ItemName = tuple[str, str]
"""Kind and name."""
TracePlace = tuple[int, str]
"""Where a trace stands in a list: its start, ns, and its id."""
LISTED: Final = pa.schema(
    [
        *TRACES,
        pa.field("symptoms", pa.list_(pa.string())),  # kinds, sorted
        pa.field("agent", pa.string()),  # touched first, as the next two
        pa.field("region", pa.string()),
        pa.field("model_version", pa.string()),
    ]
)


@dataclass(frozen=True, kw_only=True)
class Time:
    """A stretch of time by the starts of traces: ``since_ns <= start < until_ns``."""

    since_ns: int
    until_ns: int


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which traces; what is None does not filter."""

    since_ns: int | None = None
    until_ns: int | None = None
    symptom: str | None = None
    failing: bool | None = None
    """Shows any symptom, or none."""
    outcome: str | None = None
    task: str | None = None
    items: Sequence[ItemName] = ()
    """Touches all of them."""
    trace_ids: pa.Array | None = None
    near: Time | None = None
    """Where traces given by id are looked for first; if one is missing there, everywhere."""


@dataclass(frozen=True, kw_only=True)
class ItemHealth:
    """The traces that touch an item; counts as weights estimate."""

    kind: str
    name: str
    traces: float
    failing: float
    """Of those, with any symptom."""


@dataclass(frozen=True, kw_only=True)
class Split:
    """Traces by whether they touch a group of items."""

    failed_with: float
    passed_with: float
    failed_without: float
    passed_without: float


class Queries(Protocol):
    """Answers about facts, each counted where they are stored."""

    def page(
        self, wanted: Wanted, *, after: TracePlace | None, limit: int, oldest_first: bool = False
    ) -> pa.Table:
        """Traces (schema LISTED) after a place: newest start first or oldest, then by id."""

    def traces(self, trace_ids: pa.Array, *, near: Time | None = None) -> pa.Table:
        """Facts (TRACES) of traces, oldest first; ``near`` as in Wanted."""

    def ids(self, wanted: Wanted, *, most: int) -> pa.Array:
        """Ids of the traces wanted, oldest first; of more than ``most`` an even choice."""

    def time_of(self, trace_ids: pa.Array) -> Time:
        """From the first to the last start of traces; nothing of which is known: an empty time."""

    def last_start(self, *, before_ns: int | None = None) -> int | None:
        """When the last trace began, ns, before a moment; None without traces."""

    def last_of(self, wanted: Wanted) -> int | None:
        """When the last of the traces wanted began, ns; None without any."""

    def lifts(self, trace_id: str, time: Time) -> list[ItemHealth]:
        """How the traces of a time fare that touch what one trace touched, by kind and name."""

    def touching(
        self,
        groups: Sequence[Sequence[ItemName]],
        trace_ids: pa.Array,
        *,
        near: Time | None = None,
    ) -> list[frozenset[str]]:
        """For each group of items, which of the traces touch all of it; ``near`` as in Wanted."""

    def splits(
        self,
        groups: Sequence[Sequence[ItemName]],
        *,
        without: Sequence[ItemName],
        channels: Sequence[str],
        time: Time,
    ) -> list[Split]:
        """Count the traces of a time that do not touch all of ``without``, by each group.

        They fail by a symptom in one of the channels. No group may be empty.
        """

    def exposed(self, group: Sequence[ItemName], time: Time, *, names_max: int) -> dict[str, Any]:
        """Sum up the traces that touch all of a group.

        ``traces`` and ``failing`` (as weights estimate), ``last_ns`` (None: none does), and the
        sorted names of ``task``, ``agent``, ``region`` and ``kv_key``, at most ``names_max`` each.
        """

    def healthy_like(self, trace: Mapping[str, Any]) -> str | None:
        """A complete healthy trace of the same task and root as a row of TRACES: the nearest."""

    def incident_heads(self) -> list[dict[str, Any]]:
        """Incidents by id without the ids of their traces, of which ``trace_count`` tells.

        They are shared between callers and must not be changed.
        """

    def incidents_of(self, trace_id: str) -> list[str]:
        """Ids of the incidents that a trace is part of, sorted."""
