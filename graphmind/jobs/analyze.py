"""The main job: which failing traces of a window share a cause, and what to do about it."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from graphmind.analysis.find import find
from graphmind.analysis.options import CauseOptions
from graphmind.analysis.window import window_from_facts
from graphmind.archive.port import Selection
from graphmind.graph.incidents import derived_rows
from graphmind.graph.port import Counters
from graphmind.graph.projection import project
from graphmind.graph.selection import choose_kept
from graphmind.incidents.report import incidents_of, unexplained_ids
from graphmind.jobs.stores import Stores
from graphmind.repair.alternatives import alternatives_to
from graphmind.repair.command import propose
from graphmind.settings import Settings
from graphmind.telemetry.assembly import assemble
from graphmind.telemetry.facts import Facts
from graphmind.telemetry.items import inherited

MS_NS: Final = 1_000_000
KEPT_AS: Final = "analysis"
"""The run that the archive keeps incidents under. One for all analyses: each hands over all that
shall remain, so what only an earlier one found in the same window is gone, as from the graph."""
Stage = Callable[[str], None]
"""Called with the name of each stage as it begins."""


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """What an analysis found in a window."""

    window: dict[str, Any]
    incidents: list[dict[str, Any]]
    """Strongest first, each with its command."""
    unexplained: list[str]
    """Failing traces that no incident explains, sorted."""
    graph: Counters


def analyze(
    stores: Stores, settings: Settings, selection: Selection, stage: Stage = lambda _name: None
) -> Analysis:
    """Find the incidents of the traces selected, store them and write them to the graph."""
    stage("reading facts")
    facts = with_lineage(stores.archive.facts(selection))
    stage("finding shared causes")
    window, incidents, unexplained = examine(facts, settings)
    stage("writing the graph")
    current = _outside(stores.archive.incidents(), window) + incidents
    stores.archive.save_incidents(KEPT_AS, current)
    stores.graph.ensure_schema()
    graph = _write_traces(stores, facts, settings)
    run_id = _run_id(facts)
    stores.graph.replace_derived(derived_rows(current, run_id), run_id)
    return Analysis(window=window, incidents=incidents, unexplained=unexplained, graph=graph)


def with_lineage(facts: Facts) -> Facts:
    """Add who wrote the values that the traces read to what they touched."""
    return replace(facts, items=pa.concat_tables([facts.items, inherited(facts.accesses)]))


def examine(
    facts: Facts, settings: Settings
) -> tuple[dict[str, Any], list[dict[str, Any]], list[str]]:
    """Return the window in numbers, its incidents with their commands, and what is unexplained."""
    window = window_from_facts(facts)
    options = CauseOptions(alpha=settings.alpha, failures_min=settings.min_excess)
    findings = find(window, options)
    incidents = [
        incident.document() | {"command": propose(incident, alternatives_to(incident, facts))}
        for incident in incidents_of(findings, window, facts)
    ]
    return _numbers(facts), incidents, unexplained_ids(findings, facts)


def _numbers(facts: Facts) -> dict[str, Any]:
    starts = facts.traces["start_ns"]
    failing = facts.symptoms.filter(pc.is_valid(facts.symptoms["channel"]))["trace_id"]
    first, last = pc.min(starts).as_py(), pc.max(starts).as_py()
    return {
        "from_ms": None if first is None else first // MS_NS,
        "until_ms": None if last is None else last // MS_NS,
        "traces": facts.traces.num_rows,
        "failing": pc.count_distinct(failing).as_py(),
        "incomplete": pc.sum(pc.equal(facts.traces["outcome"], "incomplete")).as_py() or 0,
    }


def _outside(incidents: list[dict[str, Any]], window: dict[str, Any]) -> list[dict[str, Any]]:
    """Keep what earlier analyses found outside this window; inside, this one speaks."""
    if window["from_ms"] is None:
        return incidents
    return [
        incident
        for incident in incidents
        if not window["from_ms"] <= incident["onset_ms"] <= window["until_ms"]
    ]


def _run_id(facts: Facts) -> str:
    """Name the run by its window, so that the same window gives the same run."""
    digest = hashlib.sha256()
    for trace_id in facts.traces["trace_id"].to_pylist():
        digest.update(trace_id.encode())
    return f"run-{digest.hexdigest()[:12]}"


def _write_traces(stores: Stores, facts: Facts, settings: Settings) -> Counters:
    """Project the traces that the graph keeps: every failing one, a known share of the others."""
    own = Selection(trace_ids=facts.traces["trace_id"].combine_chunks())
    spans = assemble(stores.archive.spans(own))
    kept, weights = choose_kept(facts, settings.healthy_share)
    return stores.graph.upsert(project(spans, facts, kept=kept, weights=weights))
