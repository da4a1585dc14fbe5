"""The port of the archive: every span and every derived fact, in columns, durable."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa

from graphmind.archive.queries import Queries
from graphmind.archive.signals import Signals
from graphmind.archive.tallies import Tallies
from graphmind.telemetry.facts import Facts


@dataclass(frozen=True, kw_only=True)
class Appended:
    """What one append changed."""

    new: int
    duplicate: int
    traces: int


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which traces: by id, by start time (``from_ns <= start < until_ns``), both, or all.

    A trace starts with its earliest span; facts are selected by the start they state.
    """

    trace_ids: pa.Array | None = None
    from_ns: int | None = None
    until_ns: int | None = None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How traces ended, and how many of them: as their weights estimate it."""

    outcome: str
    """One of TRACES' outcomes."""
    complete: bool
    traces: float


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long a live trace is waited for."""

    quiet_ms: int
    overdue_ms: int
    hang_ms: int


class Archive(Protocol):
    """Durable columns. One process owns it; one thread writes at a time."""

    def consistent(self) -> AbstractContextManager[None]:
        """Let all that this thread reads within see one state, whatever is stored meanwhile.

        What the thread itself stores within is not seen before the end; incidents are always those
        stored last.
        """

    @property
    def signals(self) -> Signals:
        """Lines of logs and points of metrics beside the spans, in the same store."""

    @property
    def tallies(self) -> Tallies:
        """Counts over the traces, for pictures."""

    @property
    def queries(self) -> Queries:
        """Traces looked up by filter, and what they touch."""

    def append(self, batches: Iterable[pa.RecordBatch]) -> Appended:
        """Store spans (schema RESOLVED); a span known by (trace_id, span_id) is a duplicate.

        A duplicate that has ended replaces one that had not. All of the batches are durable when
        this returns, none if it raises: killed at any moment, what was returned is there.
        """

    def add(self, spans: pa.RecordBatch, *, at_ms: int) -> Appended:
        """Store one batch as ``append`` does; ``at_ms`` is when it came, which ``due`` goes by."""

    def latest(self) -> int:
        """Return the number of the last append that added spans; 0 before the first."""

    def unsettled(self) -> pa.Array:
        """Ids of traces that gained spans since their facts were last stored, sorted."""

    def due(self, patience: Patience, *, now_ms: int, traces_max: int) -> pa.Array:
        """Ids of unsettled traces that need be waited for no longer, those that came first first.

        At most ``traces_max``. A trace is due when its root and every span known have ended and
        nothing came for ``quiet_ms``, when nothing came for ``overdue_ms``, or when a span that
        has not ended began ``hang_ms`` ago.
        """

    def suspects(self, trace_ids: pa.Array) -> pa.Array:
        """Ids, of those given, of traces with an error, an open span or no ended root; sorted."""

    def pass_over(self, trace_ids: pa.Array, *, as_of: int) -> None:
        """Mark traces settled without facts of their own; ``as_of`` as in ``store_facts``."""

    def open_traces(self, *, began_before_ms: int) -> pa.Array:
        """Ids of traces with a span that began before and has not ended, sorted."""

    def traces_of_task(self, task_id: str) -> pa.Array:
        """Ids of the traces whose spans, facts or lines name a task by its id, sorted."""

    def starts(self, selection: Selection) -> pa.Table:
        """When the traces selected began: trace_id (sorted), start_ns, null where no span has one.

        It reads no span.
        """

    def spans(self, selection: Selection) -> pa.Table:
        """Spans (schema RESOLVED) of the traces selected, sorted by trace_id, start_ns, span_id."""

    def bare_spans(self, selection: Selection) -> pa.Table:
        """The same without attributes (null) and in any order: all that `assemble` asks for."""

    def span_batches(self, selection: Selection, spans_max: int) -> Iterator[pa.Table]:
        """Yield the same spans in bounded memory, part by part in the order in which traces began.

        A part holds whole traces and about ``spans_max`` spans (at most one trace more). All
        parts show one state of the archive.
        """

    def store_facts(self, facts: Facts, *, as_of: int | None = None) -> None:
        """Replace the facts of the traces in ``facts.traces`` and mark them settled; atomic.

        ``as_of`` is what ``latest`` gave before the spans were read: a trace that gained since
        stays unsettled. Without it all of them are settled.
        """

    def facts(
        self, selection: Selection, *, healthy_share: float = 1.0, with_items: bool = True
    ) -> Facts:
        """Facts of the traces selected, in every table by the trace's start_ns, then trace_id.

        Rows of one trace keep the order in which they were stored. Below 1 only that share of the
        healthy traces (outcome ok or incomplete) is there, chosen by a hash of their ids, with
        their weight divided by the share; the accesses then hold, besides those of the traces
        kept, those of the others that wrote, so that a value read can be followed to its origin.
        Items are nine tenths of the memory: who needs none leaves them out.
        """

    def failing_and_healthy(self, selection: Selection) -> tuple[int, int]:
        """Count the traces selected that show a symptom, and those that do not."""

    def failing_since(self, selection: Selection, count: int) -> int | None:
        """Return the start of the ``count``-th newest failing trace selected, ns.

        None where fewer fail.
        """

    def first_touches(self, items: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """Return when any trace first touched each item (kind, name), ns; absent if none did."""

    def first_start(self) -> int | None:
        """Return when the first trace that has facts began, ns."""

    def counts(self) -> dict[str, int]:
        """Return the number of rows by table: spans, traces, symptoms, items, accesses."""

    def outcomes(self) -> list[Outcome]:
        """Return the estimated number of traces by outcome and completeness, sorted by them."""

    def rates(self, since_ns: int) -> tuple[float | None, float | None]:
        """Share of the traces since in which a fallback answered, and that recovered; estimated.

        None without traces.
        """

    def agent_latency_p95(self, since_ns: int, *, agents_max: int) -> dict[str, float]:
        """95th percentile of the duration in ns of the traces of each agent since.

        Of the agents with most traces, at most ``agents_max``.
        """

    def save_incidents(self, run_id: str, incidents: Iterable[dict[str, object]]) -> None:
        """Replace the incidents (JSON documents with ``incident_id``) found by an analysis run."""

    def incidents(self) -> list[dict[str, object]]:
        """Return the incidents stored, sorted by id."""

    def incident(self, incident_id: str) -> dict[str, object]:
        """Return one incident; raises UnknownName."""

    def documents(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the documents of a kind by id, in the order of their ids."""

    def document(self, kind: str, name: str) -> dict[str, Any] | None:
        """Return one document of a kind by its id; None where there is none."""

    def replace_documents(
        self,
        kind: str,
        documents: Mapping[str, Mapping[str, Any]],
        *,
        without: Iterable[str] = (),
    ) -> None:
        """Store JSON documents of a kind by id, and remove those named; atomic, durable."""

    def prune(self, before_ns: int) -> int:
        """Delete traces, with their spans and facts, whose last span began before; return how many.

        Incidents and documents stay.
        """

    def close(self) -> None:
        """Release the data folder."""
