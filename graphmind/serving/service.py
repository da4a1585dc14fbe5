"""The service: the queue that telemetry comes in by, and the loops that work on what it stored."""

import logging
import random
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa

from graphmind.archive.port import Selection
from graphmind.graph.schema import Node
from graphmind.jobs.alerts import raise_alerts
from graphmind.jobs.deliveries import Deliveries
from graphmind.jobs.inventory import store_inventory
from graphmind.jobs.load import store_spans
from graphmind.jobs.repairs.desk import RepairDesk
from graphmind.jobs.review import review_due
from graphmind.jobs.signals import load_signals, open_patterns
from graphmind.jobs.stores import Stores
from graphmind.jobs.watch import watch
from graphmind.serving.cursors import ArchiveCursors
from graphmind.serving.intake import Intake
from graphmind.serving.loops import Loop
from graphmind.serving.publishing import Publisher
from graphmind.serving.pull import Puller, run_pullers
from graphmind.serving.repairing import Repairing
from graphmind.serving.settling import Settler
from graphmind.settings import Settings
from graphmind.sources import PullSource, Receiver, Sink
from graphmind.telemetry.rejections import Rejections
from graphmind.telemetry.resolver_table import Table

SETTLE_EVERY_S: Final = 0.5
SETTLE_REST: Final = 1.0
"""Under load a run rests as long as it took: the next settles more at once, and each run derives
besides what is remembered."""
PUBLISH_EVERY_S: Final = 2.0
PUBLISH_REST: Final = 3.0
"""Writing the graph takes a quarter of a core at most: people wait for it, incidents do not."""
DELIVER_EVERY_S: Final = 1.0
PRUNE_EVERY_S: Final = 600.0
REVIEW_EVERY_S: Final = 900.0
"""Pauses of the loops (chosen); that of the analysis is a setting."""
ANALYZE_LOOK_S: Final = 0.2
"""How often it is asked whether an analysis is due (chosen)."""
ANALYZE_IDLE_S: Final = 30.0
"""Without a new failing trace the analysis runs so often, for the life cycle of incidents."""
STRAIN: Final = 2.0
"""With a full queue the loops that can wait rest so many times longer besides (chosen: taking in
then has one and a half of two cores)."""
BUSY_SHARE: Final = 1.0
"""An analysis starts after so many times as long as the last one took, so that it never takes
more than half a core; less while the queue fills (chosen)."""
MS_NS: Final = 1_000_000
DAY_MS: Final = 86_400_000
_log = logging.getLogger(__name__)

Listener = Callable[[Sink], Receiver]
AlertReader = Callable[[bytes, Rejections], pa.RecordBatch]
"""Reads the body of an alert webhook into SAMPLES. Raises SourceError."""


@dataclass(kw_only=True)
class Tally:
    """What the loops counted since the start."""

    settled: int = 0
    passed_over: int = 0
    failing: int = 0
    opened: int = 0
    closed: int = 0
    alerts: int = 0
    pruned: int = 0
    rejected: Rejections = field(default_factory=Rejections)


class Service:
    """One process over the stores of one data folder. ``start``, then ``stop``."""

    def __init__(
        self,
        stores: Stores,
        settings: Settings,
        *,
        table: Table,
        deliveries: Deliveries,
        read_alerts: AlertReader,
        desk: RepairDesk | None = None,
        now_ns: Callable[[], int] = time.time_ns,
        seed: int | None = None,
    ) -> None:
        self._stores = stores
        self._settings = settings
        self._table = table
        self._deliveries = deliveries
        self._read_alerts = read_alerts
        self._patterns = open_patterns(stores.archive)
        self._now_ns = now_ns
        self._dirty = self._behind = False
        self._large = threading.Lock()
        """Held by what takes some 150 MB for a while: one at a time while settling is behind."""
        self._analyse_after_s = self._analyse_latest_s = 0.0
        self._receivers: list[Receiver] = []
        self._stop_pulls = threading.Event()
        self._pulls: list[threading.Thread] = []
        self.pullers: tuple[Puller, ...] = ()
        self.tally = Tally()
        self.intake = Intake(self._store, rows_max=settings.queue_spans)
        chance = random.Random(seed)  # noqa: S311 - chooses a sample, no secret
        self.settler = Settler(stores.archive, settings, now_ns=now_ns, chance=chance)
        self.publisher = Publisher(stores, settings)
        self.repairing = Repairing(desk, show=self.publisher.settled) if desk else None
        self.loops = (
            Loop(
                "settle",
                self._settle,
                every_s=SETTLE_EVERY_S,
                rest=SETTLE_REST,
                strain=self._strain,
            ),
            Loop("analyze", self._analyse, every_s=ANALYZE_LOOK_S),
            Loop(
                "publish",
                self._publish,
                every_s=PUBLISH_EVERY_S,
                rest=PUBLISH_REST,
                strain=self._strain,
            ),
            Loop("alert", self._deliver, every_s=DELIVER_EVERY_S),
            Loop("prune", self._prune, every_s=PRUNE_EVERY_S),
            Loop("review", self._review, every_s=REVIEW_EVERY_S, rest=PUBLISH_REST),
        )

    def start(self, listeners: Iterable[Listener] = (), sources: Iterable[PullSource] = ()) -> None:
        """Take up where the last process ended, then take telemetry in."""
        peers = self.settler.recall()
        window_ns = round(self._settings.live_window_s * 1e9)
        window = Selection(from_ns=self._now_ns() - window_ns)
        recent = self._stores.archive.facts(window, with_items=False)
        self.publisher.settled(recent)
        self._dirty = recent.traces.num_rows > 0
        self.intake.start()
        for loop in self.loops:
            loop.start()
        for listen in listeners:
            self._receivers.append(listen(self.intake))
        if self.repairing:
            self.repairing.start()
        cursors = ArchiveCursors(self._stores.archive)
        self.pullers = tuple(
            Puller(
                source,
                self.intake,
                cursors,
                store_nodes=self._store_nodes,
                future_s=self._settings.future_s,
            )
            for source in sources
        )
        self._pulls = run_pullers(self.pullers, self._stop_pulls)
        listening = ",".join(f"{each.name}={each.address}" for each in self._receivers)
        _log.info("service_started peers=%d recent=%d %s", peers, recent.traces.num_rows, listening)

    def stop(self) -> None:
        """Refuse what is new, store what was taken, settle what is due, and return."""
        self._stop_pulls.set()
        for receiver in self._receivers:
            receiver.stop()
        for pull in self._pulls:
            pull.join()
        self.intake.close()
        if self.repairing:
            self.repairing.stop()
        for loop in self.loops:
            loop.stop()
        _log.info("service_stopped rows=%d", sum(self.intake.counts.rows.values()))

    @property
    def receivers(self) -> Sequence[Receiver]:
        """Those that listen."""
        return tuple(self._receivers)

    def dropped(self) -> dict[str, int]:
        """Return how much was not kept since the start, by reason."""
        counts = self.intake.counts
        rejected = dict(self.tally.rejected.counts)
        return {"queue full": counts.refused, "not stored": counts.failed, **rejected}

    def checks(self) -> dict[str, str]:
        """Return what is wrong, by part; an empty text says that the part is well."""
        repairing = self.repairing.loops if self.repairing else ()
        found = {loop.name: loop.trouble() for loop in (*self.loops, *repairing)}
        found["receive"] = "" if self.intake.alive() else "takes nothing in"
        return found

    def take_alerts(self, body: bytes) -> int:
        """Store the alerts of an Alertmanager's webhook as samples; return how many rows.

        Raises SourceError for a body of another kind, Overloaded and StoreError as a sink does.
        """
        samples = self._read_alerts(body, self.tally.rejected)
        self.intake.offer(samples).result()
        rows: int = samples.num_rows
        return rows

    def _store_nodes(self, nodes: Sequence[Node]) -> None:
        store_inventory(self._stores, nodes)

    def _store(self, signal: str, batches: Sequence[pa.RecordBatch]) -> None:
        now_ns = self._now_ns()
        archive = self._stores.archive
        if signal == "spans":
            store_spans(batches, archive, table=self._table, now_ms=now_ns // MS_NS)
            return
        load_signals(
            batches,
            archive,
            self._settings,
            table=self._table,
            patterns=self._patterns,
            rejected=self.tally.rejected,
            now_ns=now_ns,
        )

    def _strain(self) -> float:
        """Say how much longer than usual what can wait shall rest: telemetry comes first."""
        return 1 + STRAIN * self.intake.fill()

    def _settle(self) -> dict[str, int]:
        began_ms = self._now_ns() // MS_NS
        with self._large if self._behind else nullcontext():
            done = self.settler.settle(self.tally.rejected)
        self._behind = done.waiting
        settled = done.facts.traces.num_rows
        failing = len(done.facts.symptoms["trace_id"].unique())
        self._dirty |= failing > 0
        self.publisher.settled(done.facts)
        if self.repairing:
            self.repairing.settled(done.facts, up_to_ms=None if done.waiting else began_ms)
        self.tally.settled += settled
        self.tally.passed_over += done.passed_over
        self.tally.failing += failing
        if not settled:
            return {}
        passed_over = {"passed_over": done.passed_over} if done.passed_over else {}
        return {"settled": settled, "failing": failing, **passed_over}

    def _analyse(self) -> dict[str, int | float | str]:
        """Analyse when a failing trace settled, and now and then besides."""
        began_s = time.monotonic()
        if began_s < (self._analyse_after_s if self._dirty else self._analyse_latest_s):
            return {}
        self._dirty = False
        now_ms = self._now_ns() // MS_NS
        with self._large:
            found = watch(self._stores.archive, self._settings, now_ms=now_ms)
        for one in found.opened:
            _log.warning("incident_opened incident=%s", one)
        alerts = raise_alerts(
            self._stores.archive, found.facts, found.incidents, self._settings, now_ms
        )
        ended_s = time.monotonic()
        busy = BUSY_SHARE * self._strain() * (ended_s - began_s)
        pause_s = max(self._settings.analyze_every_s, busy)
        self._analyse_after_s = ended_s + pause_s
        self._analyse_latest_s = ended_s + max(pause_s, ANALYZE_IDLE_S)
        self.publisher.analysed([*found.changed, *alerts.incidents], found.facts)
        self.tally.opened += len(found.opened)
        self.tally.closed += len(found.closed)
        self.tally.alerts += len(alerts.raised)
        return {
            "traces": found.traces,
            "failing": found.failing,
            "incidents": len(found.incidents),
            "opened": len(found.opened),
            "closed": len(found.closed),
            "alerts": alerts.firing,
        }

    def _deliver(self) -> dict[str, int | float | str]:
        run = self._deliveries.deliver_due(self._now_ns() // MS_NS)
        counts = {
            "alerts": run.alerts,
            "events": run.events,
            "failed": run.failed,
            "given_up": run.given_up,
        }
        told = {name: count for name, count in counts.items() if count}
        return {**told, "errors": repr("; ".join(run.errors))} if run.errors else dict(told)

    def _publish(self) -> dict[str, int | float | str]:
        return self.publisher.publish()

    def _review(self) -> dict[str, str]:
        """Write the review of the week that is over, once."""
        week = review_due(self._stores, self._settings, now_ms=self._now_ns() // MS_NS)
        return {"week": week} if week else {}

    def _prune(self) -> dict[str, int]:
        if not self._settings.retention_days:
            return {}
        before_ms = self._now_ns() // MS_NS - round(self._settings.retention_days * DAY_MS)
        pruned = self._stores.archive.prune(before_ms * MS_NS)
        signals = self._stores.archive.signals.prune(before_ms * MS_NS)
        graph = self._stores.graph.prune(before_ms)
        self.tally.pruned += pruned
        counts = {"traces": pruned, "signals": signals, "nodes": graph.nodes_deleted}
        return counts if any(counts.values()) else {}
