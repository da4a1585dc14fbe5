"""The graph of a live server: traces as they settle, incidents as they change, bit by bit."""

import threading
import time
import uuid
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graphmind.archive.port import Archive, Selection
from graphmind.graph.incidents import derived_rows
from graphmind.graph.port import GraphRows
from graphmind.graph.projection import project
from graphmind.graph.selection import FAILING, taken_up
from graphmind.jobs.contamination import refresh_lineages
from graphmind.jobs.repairs.verdicts import recovery_strategies
from graphmind.jobs.signals import patterns_of, with_logged_codes
from graphmind.jobs.stores import Stores
from graphmind.settings import Settings
from graphmind.telemetry.assembly import assemble
from graphmind.telemetry.facts import Facts

TRACES_MAX: Final = 150
"""Traces written at once: about a second of writing, so that readers get their turn (chosen)."""
WAITING_MAX: Final = 50_000
"""Failing traces that wait at most; beyond, the oldest are left out and counted (chosen)."""
DERIVED_SHARE: Final = 5
"""Incidents are rewritten after so many times as long as that took last (chosen)."""
DERIVED_PAUSE_S: Final = 30.0
"""Longest wait for the traces that incidents are to be joined to (chosen)."""

Document = Mapping[str, Any]


class Publisher:
    """Collects what the graph lacks and writes it when asked. Any thread may hand in."""

    def __init__(self, stores: Stores, settings: Settings) -> None:
        self._stores = stores
        self._settings = settings
        self._lock = threading.Lock()
        self._failing: dict[str, None] = {}
        self._healthy: dict[str, float] = {}
        self._needed: dict[str, None] = {}
        self._changed: dict[str, Document] = {}
        self._stale = False
        self._derive_after_s = self._derive_latest_s = 0.0
        self.left_out = 0
        """Failing traces that found no room."""
        stores.graph.ensure_schema()

    def settled(self, facts: Facts) -> None:
        """Take note of traces that settled, or settled anew."""
        failing = pc.is_in(facts.traces["outcome"], pa.array(FAILING)).to_numpy()
        ids = facts.traces["trace_id"].to_pylist()
        # Few are kept whole; of many the set share, drawn by their ids.
        few = len(ids) <= TRACES_MAX // 4
        share = 1.0 if few else self._settings.healthy_share
        drawn = {
            one: share
            for one, bad in zip(ids, failing, strict=True)
            if not bad and _is_drawn(one, share)
        }
        with self._lock:
            for one, bad in zip(ids, failing, strict=True):
                if bad:
                    self._failing[one] = None
            if len(self._healthy) < TRACES_MAX:
                self._healthy |= drawn
            while len(self._failing) > WAITING_MAX:
                self._failing.pop(next(iter(self._failing)))
                self.left_out += 1

    def analysed(self, incidents: Iterable[Document], window: Facts) -> None:
        """Take note of incidents that changed, and of traces whose values failing ones read."""
        failing = pc.is_in(window.traces["outcome"], pa.array(FAILING)).to_numpy()
        needed = dict.fromkeys(taken_up(window, failing).to_pylist())
        with self._lock:
            self._failing |= {one: None for one in needed if one not in self._needed}
            self._needed = needed
            self._changed |= {one["incident_id"]: one for one in incidents}
            self._stale |= bool(self._changed)

    def publish(self) -> dict[str, int | float | str]:
        """Write some of the traces that wait, then the incidents if they changed."""
        weights = self._next()
        written = self._traces(weights) if weights else 0
        incidents = self._derived()
        if not written and incidents is None:
            return {}
        return {"traces": written, "incidents": incidents or 0, "waiting": len(self._failing)}

    def _next(self) -> dict[str, float]:
        """Take the traces to write now, failing ones first, with the weight of each."""
        with self._lock:
            chosen = _take(self._failing, TRACES_MAX)
            weights = dict.fromkeys(chosen, 1.0)
            # An incident may be waiting to be joined to them.
            self._stale |= bool(chosen)
            healthy = _take(self._healthy, TRACES_MAX - len(chosen))
            return {one: 1 / healthy[one] for one in healthy} | weights

    def _traces(self, weights: Mapping[str, float]) -> int:
        selection = Selection(trace_ids=pa.array(sorted(weights), pa.string()))
        facts = self._stores.archive.facts(selection)
        signals = self._stores.archive.signals
        spans = assemble(with_logged_codes(self._stores.archive.bare_spans(selection), signals))
        factor = np.array([weights[one] for one in facts.traces["trace_id"].to_pylist()])
        scaled = facts.traces["weight"].to_numpy().astype(np.float64) * factor
        kept = np.ones(facts.traces.num_rows, np.bool_)
        if facts.traces.num_rows:
            logged = patterns_of(signals, facts.traces)
            rows = project(spans, facts, kept=kept, weights=scaled, logged=logged)
            self._stores.graph.upsert(_with_strategies(rows, self._stores.archive))
        written: int = facts.traces.num_rows
        return written

    def _derived(self) -> int | None:
        """Write the incidents if they, or traces to join them to, changed; None if not written."""
        began_s = time.monotonic()
        with self._lock:
            waits = bool(self._failing) and began_s < self._derive_latest_s
            if not self._stale or waits or began_s < self._derive_after_s:
                return None
            changed, self._changed, self._stale = self._changed, {}, False
        current = self._stores.archive.incidents()
        fresh = [one for one in current if one["incident_id"] in changed]
        lineages = refresh_lineages(self._stores.archive, fresh, current)
        run_id = f"run-{uuid.uuid4().hex[:12]}"
        self._stores.graph.replace_derived(derived_rows(current, lineages, run_id), run_id)
        ended_s = time.monotonic()
        self._derive_after_s = ended_s + DERIVED_SHARE * (ended_s - began_s)
        self._derive_latest_s = ended_s + DERIVED_PAUSE_S
        return len(current)


def _with_strategies(rows: GraphRows, archive: Archive) -> GraphRows:
    """Add by which strategy traces were recovered."""
    strategies = recovery_strategies(archive)
    traces = [
        {**row, "recoveryStrategy": strategies[row["traceId"]]}
        if row["traceId"] in strategies
        else row
        for row in rows.nodes["Trace"]
    ]
    return replace(rows, nodes={**rows.nodes, "Trace": traces})


def _is_drawn(trace_id: str, share: float) -> bool:
    return zlib.crc32(trace_id.encode()) < share * 2**32


def _take(waiting: dict[str, Any], count: int) -> dict[str, Any]:
    """Take the first entries out of a dictionary."""
    names = [name for _, name in zip(range(count), waiting, strict=False)]
    return {name: waiting.pop(name) for name in names}
