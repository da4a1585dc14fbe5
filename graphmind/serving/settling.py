"""Facts for live traces as they become complete, compared with a memory of healthy ones.

A batch load compares whole hours with themselves. A stream cannot: an hour that is half bad would
be its own measure, and reading it again every second costs what it holds. So some healthy traces
of each task are kept in memory, and what settles is compared with them.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from graphmind.archive.port import Archive, Patience, Selection
from graphmind.jobs.signals import with_logged_codes, with_metric_symptoms
from graphmind.serving.shedding import draw, weighed
from graphmind.settings import Settings
from graphmind.telemetry.derive import derive
from graphmind.telemetry.facts import ACCESSES, ITEMS, RESOLVED, SYMPTOMS, TRACES, Facts
from graphmind.telemetry.rejections import Rejections

TRACES_MAX: Final = 4_000
"""Traces settled at once: bounds memory and the time that the others wait (chosen: what is
remembered costs as much as 1,100 of them each time)."""
BACKLOG_MAX: Final = 20_000
"""Traces due at once beyond which some are passed over: ten seconds of what two cores can take in
(chosen)."""
DUE_MAX: Final = 1_000_000
"""Traces looked up at once: bounds memory after a long stop (chosen)."""
PEERS_PER_TASK: Final = 60
PEERS_MAX: Final = 900
"""Healthy traces remembered: three times the baseline's least for each task (chosen)."""
TROUBLED_PER_PLACE: Final = 25
TROUBLED_MAX: Final = 200
"""Traces with errors remembered: they tell what runs because of an error (five spans at the least),
and whether errors reach the root (chosen)."""
PEER_AGE_NS: Final = 3_600_000_000_000
"""A trace is remembered for an hour (chosen): what is normal changes, but not with an incident."""
OPEN_RECHECK_S: Final = 5.0
"""Pause before a trace with an open span is looked at again; doubled each time (chosen)."""
MS_NS: Final = 1_000_000
S_NS: Final = 1_000_000_000


NOTHING: Final = Facts(
    traces=TRACES.empty_table(),
    symptoms=SYMPTOMS.empty_table(),
    items=ITEMS.empty_table(),
    accesses=ACCESSES.empty_table(),
)


@dataclass(frozen=True, kw_only=True)
class Settled:
    """What one run settled."""

    facts: Facts
    waiting: bool
    """Whether more was due than one run takes."""
    passed_over: int = 0
    """Traces that were due and get no facts; those settled stand for them."""


class Settler:
    """Settles what is due; remembers what is normal. One thread uses it."""

    def __init__(
        self,
        archive: Archive,
        settings: Settings,
        *,
        now_ns: Callable[[], int],
        chance: random.Random,
        traces_max: int = TRACES_MAX,
        backlog_max: int = BACKLOG_MAX,
    ) -> None:
        """Settle up to ``traces_max`` a run; of more than ``backlog_max`` due, pass some over."""
        self._archive = archive
        self._traces_max = traces_max
        self._backlog_max = backlog_max
        self._settings = settings
        self._now_ns = now_ns
        self._chance = chance
        self._memories = (
            Remembered(
                healthy_by_task, per_group=PEERS_PER_TASK, traces_max=PEERS_MAX, chance=chance
            ),
            Remembered(
                troubled_by_place,
                per_group=TROUBLED_PER_PLACE,
                traces_max=TROUBLED_MAX,
                chance=chance,
            ),
        )
        self._open = _OpenTraces()
        self._patience = Patience(
            quiet_ms=round(settings.quiet_s * 1000),
            overdue_ms=round(settings.overdue_s * 1000),
            hang_ms=round(settings.hang_after_s * 1000),
        )

    def recall(self) -> int:
        """Remember healthy traces of the last hour from the archive, as after a restart."""
        now_ns = self._now_ns()
        hour = Selection(from_ns=now_ns - PEER_AGE_NS, until_ns=now_ns)
        facts = self._archive.facts(hour, with_items=False)
        for memory in self._memories:
            chosen = memory.choose(facts.traces)
            spans = self._archive.bare_spans(
                Selection(trace_ids=chosen["trace_id"].combine_chunks())
            )
            memory.admit(chosen, spans, now_ns)
        return sum(memory.count for memory in self._memories)

    def settle(self, rejected: Rejections) -> Settled:
        """Derive and store the facts of the traces that are due, or of as many as one run takes."""
        now_ns = self._now_ns()
        now_ms = now_ns // MS_NS
        as_of = self._archive.latest()
        due = self._archive.due(self._patience, now_ms=now_ms, traces_max=DUE_MAX)
        if len(due) > self._backlog_max:
            return self._settle_some(due, rejected, now_ns=now_ns, as_of=as_of)
        # The same moment at which it is due: what is looked at now is not looked at next time.
        hung = self._archive.open_traces(began_before_ms=now_ms - self._patience.hang_ms + 1)
        again = self._open.due(hung, now_ns)
        ids = pc.unique(pa.concat_arrays([due[: self._traces_max], again]))
        if not len(ids):
            return Settled(facts=NOTHING, waiting=False)
        facts = self._derived(ids, {}, rejected, now_ns=now_ns, as_of=as_of)
        return Settled(facts=facts, waiting=len(due) > self._traces_max)

    def _settle_some(
        self, due: pa.Array, rejected: Rejections, *, now_ns: int, as_of: int
    ) -> Settled:
        """Settle what one run takes of far more, and let it stand for the rest."""
        suspects = self._archive.suspects(due)
        lot = draw(due, suspects, room=self._traces_max, chance=self._chance)
        facts = self._derived(lot.settled, lot.weights, rejected, now_ns=now_ns, as_of=as_of)
        self._archive.pass_over(lot.passed_over, as_of=as_of)
        return Settled(facts=facts, waiting=True, passed_over=len(lot.passed_over))

    def _derived(
        self,
        ids: pa.Array,
        weights: dict[str, float],
        rejected: Rejections,
        *,
        now_ns: int,
        as_of: int,
    ) -> Facts:
        """Derive and store the facts of some traces; remember some that are healthy."""
        spans = with_logged_codes(
            self._archive.bare_spans(Selection(trace_ids=ids)), self._archive.signals
        )
        together = derive(
            pa.concat_tables([spans, *self._peers(ids)]),
            self._settings,
            rejected,
            now_ns=now_ns,
        )
        facts = facts_of(together, ids)
        facts = replace(facts, traces=weighed(facts.traces, weights))
        facts = with_metric_symptoms(facts, self._archive.signals, self._settings)
        self._archive.store_facts(facts, as_of=as_of)
        for memory in self._memories:
            memory.admit(memory.choose(facts.traces), spans, now_ns)
        return facts

    def _peers(self, settling: pa.Array) -> Iterator[pa.Table]:
        """Yield the spans remembered, those of a trace once and of none that settles again."""
        known = settling
        for memory in self._memories:
            yield _others(memory.spans, known)
            known = pa.concat_arrays([known, memory.trace_ids])


Grouping = Callable[[pa.Table], pa.Table]
"""Which of some TRACES may be remembered, each with its group: trace_id, group."""


def healthy_by_task(traces: pa.Table) -> pa.Table:
    """Group the traces that ended well by their task."""
    return _grouped(traces.filter(pc.equal(traces["outcome"], "ok")), "task")


def troubled_by_place(traces: pa.Table) -> pa.Table:
    """Group the traces with errors, handled or not, by where they went wrong."""
    return _grouped(traces.filter(pc.greater(traces["error_span_count"], 0)), "fault_module")


def _grouped(traces: pa.Table, column: str) -> pa.Table:
    group = pc.fill_null(traces[column], "")
    return pa.table({"trace_id": traces["trace_id"], "group": group})


class Remembered:
    """Spans of some recent traces of each group: a sample, renewed as traces settle.

    All in one table: joining a thousand small ones takes as long as deriving their facts.
    """

    def __init__(
        self, grouped: Grouping, *, per_group: int, traces_max: int, chance: random.Random
    ) -> None:
        self._grouped = grouped
        self._per_group = per_group
        self._traces_max = traces_max
        self._chance = chance
        self._groups: dict[str, list[str]] = {}
        self._since_ns: dict[str, int] = {}
        self._spans = RESOLVED.empty_table()

    @property
    def count(self) -> int:
        """Return how many traces are remembered."""
        return len(self._since_ns)

    @property
    def trace_ids(self) -> pa.Array:
        """Ids of the traces remembered."""
        return pa.array(self._since_ns, pa.string())

    @property
    def spans(self) -> pa.Table:
        """The spans of all of them, without their attributes."""
        return self._spans

    def choose(self, traces: pa.Table) -> pa.Table:
        """Return some of each group (trace_id, group): what a group lacks, else one."""
        grouped = self._grouped(traces)
        chosen: list[int] = []
        taken: dict[str, int] = {}
        order = list(range(grouped.num_rows))
        self._chance.shuffle(order)
        groups = grouped["group"].to_pylist()
        for row in order:
            room = self._per_group - len(self._groups.get(groups[row], ()))
            # A full group still renews one a run, so that the sample follows the traffic.
            if taken.get(groups[row], 0) < max(room, 1):
                taken[groups[row]] = taken.get(groups[row], 0) + 1
                chosen.append(row)
        return grouped.take(pa.array(sorted(chosen), pa.int64()))

    def admit(self, chosen: pa.Table, spans: pa.Table, now_ns: int) -> None:
        """Keep the spans of chosen traces; in a full group they take the place of others."""
        before = set(self._since_ns)
        for name in [n for n, at_ns in self._since_ns.items() if now_ns - at_ns > PEER_AGE_NS]:
            del self._since_ns[name]
        for row in chosen.to_pylist():
            name, group = row["trace_id"], self._groups.setdefault(row["group"], [])
            if name not in self._since_ns:
                group.append(name)
            self._since_ns[name] = now_ns
            if len(group) > self._per_group:
                self._forget(group)
        while self.count > self._traces_max:
            self._forget(max(self._groups.values(), key=len))
        fresh = set(chosen["trace_id"].to_pylist()) & set(self._since_ns)
        if fresh or before != set(self._since_ns):
            self._groups = {
                group: kept
                for group, names in self._groups.items()
                if (kept := [name for name in names if name in self._since_ns])
            }
            old = _of(self._spans, set(self._since_ns) - fresh)
            self._spans = pa.concat_tables([old, _bare(_of(spans, fresh))]).combine_chunks()

    def _forget(self, group: list[str]) -> None:
        """Forget one trace of a group by chance."""
        self._since_ns.pop(group.pop(self._chance.randrange(len(group))), None)


def _of(spans: pa.Table, trace_ids: set[str]) -> pa.Table:
    ids = pa.array(sorted(trace_ids), pa.string())
    return spans.filter(pc.is_in(spans["trace_id"], value_set=ids))


def _bare(spans: pa.Table) -> pa.Table:
    """Leave out the attributes, which no fact is derived from."""
    place = spans.schema.get_field_index("attributes")
    return spans.set_column(
        place, RESOLVED.field(place), pa.nulls(spans.num_rows, RESOLVED.field(place).type)
    )


class _OpenTraces:
    """When each trace with an open span is looked at again: what is normal may take long."""

    def __init__(self) -> None:
        self._next: dict[str, tuple[int, float]] = {}

    def due(self, open_ids: pa.Array, now_ns: int) -> pa.Array:
        """Return those of the open ones to look at now; forget those that ended."""
        waiting = {name: self._next.get(name, (0, OPEN_RECHECK_S)) for name in open_ids.to_pylist()}
        due = sorted(name for name, (at_ns, _) in waiting.items() if at_ns <= now_ns)
        for name in due:
            pause_s = waiting[name][1]
            waiting[name] = (now_ns + round(pause_s * S_NS), pause_s * 2)
        self._next = waiting
        return pa.array(due, pa.string())


def facts_of(facts: Facts, trace_ids: pa.Array) -> Facts:
    """Keep the facts of some traces."""

    def own(table: pa.Table) -> pa.Table:
        return table.filter(pc.is_in(table["trace_id"], value_set=trace_ids))

    return Facts(
        traces=own(facts.traces),
        symptoms=own(facts.symptoms),
        items=own(facts.items),
        accesses=own(facts.accesses),
    )


def _others(spans: pa.Table, trace_ids: pa.Array) -> pa.Table:
    """Leave out peers that are settled again."""
    return spans.filter(pc.invert(pc.is_in(spans["trace_id"], value_set=trace_ids)))
