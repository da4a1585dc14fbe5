"""The port of what is counted over archived traces for pictures: grouped where they are stored."""

from dataclasses import dataclass
from typing import Final, Protocol

import pyarrow as pa

_TIME = pa.field("at_ns", pa.int64())
_NAME = pa.field("name", pa.string())
_TRACES = pa.field("traces", pa.float64())
_FAILING = pa.field("failing", pa.float64())
_P95 = pa.field("p95_ns", pa.float64())
_COMPLETE = pa.field("complete", pa.float64())

PACE: Final = pa.schema(
    [
        _TIME,
        *(_TRACES, _FAILING, _COMPLETE),
        pa.field("kept", pa.int64()),  # traces archived, which stand for ``traces``
        pa.field("spans", pa.int64()),
        pa.field("p50_ns", pa.float64()),
        _P95,
    ]
)
OUTCOMES: Final = pa.schema([_TIME, pa.field("outcome", pa.string()), _TRACES])
TOUCHED: Final = pa.schema([_TIME, _NAME, _TRACES, _FAILING])
GROUPS: Final = pa.schema(
    [
        _NAME,
        *(_TRACES, _FAILING, _COMPLETE),
        pa.field("kept", pa.int64()),
        _P95,
        pa.field("last_ns", pa.int64()),
    ]
)
LABELLED: Final = pa.schema([_TIME, _NAME, pa.field("label", pa.string()), _FAILING])
LABELS: Final = pa.schema([pa.field("trace_id", pa.string()), pa.field("label", pa.string())])
CODES: Final = pa.schema([pa.field("code", pa.string()), pa.field("module", pa.string()), _FAILING])
FAULTS: Final = pa.schema(
    [
        pa.field("module", pa.string()),
        pa.field("path", pa.string()),
        pa.field("outcome", pa.string()),
        _FAILING,
        _P95,
    ]
)
SAMPLED: Final = pa.schema(
    [_NAME, pa.field("trace_id", pa.string()), pa.field("start_ns", pa.int64())]
)
CHOSEN: Final = pa.schema(
    [
        pa.field("trace_id", pa.string()),
        pa.field("failing", pa.bool_()),
        pa.field("weight", pa.float64()),
    ]
)


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """Traces that began in ``from_ns <= start < until_ns``; times are counted in steps.

    A step begins at a multiple of ``step_ns`` since the epoch. ``trace_ids`` leaves only these.
    """

    from_ns: int
    until_ns: int
    step_ns: int = 60_000_000_000
    trace_ids: pa.Array | None = None


class Tallies(Protocol):
    """Counts of traces, as their weights estimate them; percentiles are of the traces archived.

    A trace fails when its outcome is neither ok nor incomplete. Rows are sorted by their columns
    from the left unless stated otherwise; steps in which nothing began have no row.
    """

    def pace(self, stretch: Stretch) -> pa.Table:
        """How many traces began in each step, and how they fared (schema PACE)."""

    def outcomes(self, stretch: Stretch) -> pa.Table:
        """How many traces ended how, by step (schema OUTCOMES)."""

    def modules(self, stretch: Stretch) -> pa.Table:
        """How many traces ran a module, and went wrong in it, by step (schema TOUCHED)."""

    def groups(self, stretch: Stretch, kind: str, *, groups_max: int) -> pa.Table:
        """The items of a kind with their traces (schema GROUPS), those with most failing first."""

    def sampled(
        self,
        stretch: Stretch,
        kind: str,
        *,
        groups_max: int,
        traces_max: int,
        name: str | None = None,
    ) -> pa.Table:
        """Complete traces of each item of a kind (schema SAMPLED), each standing for as many.

        At most ``traces_max`` an item, of the ``groups_max`` items with most; by name, then start.
        Chosen by a hash of their ids: items draw the same traces where they share them. With a
        ``name`` of that item alone.
        """

    def chosen(self, stretch: Stretch, *, traces_max: int) -> pa.Table:
        """Traces that failed and that are ok (schema CHOSEN), at most ``traces_max`` of each.

        Their weights estimate all of them; those of more weight are likelier to be chosen.
        """

    def labelled(
        self, stretch: Stretch, kind: str, labels: pa.Table, *, otherwise: str
    ) -> pa.Table:
        """How many failing traces touched an item of a kind, by step and label (schema LABELLED).

        ``labels`` (schema LABELS) names one label for a trace; all others have ``otherwise``.
        """

    def error_codes(self, stretch: Stretch) -> pa.Table:
        """Failing traces by error code and where it struck (schema CODES), most first."""

    def faults(self, stretch: Stretch, *, rows_max: int) -> pa.Table:
        """Failing traces by where they went wrong (schema FAULTS), most first."""

    def causes(self) -> dict[tuple[str, str], int]:
        """Count the incidents stored by the kind of their first cause, empty where none, and state.

        Reads no more of them than that.
        """

    def words(self, kind: str, name: str) -> dict[str, int]:
        """Count the documents of a kind by a text in them; those without it are left out."""
