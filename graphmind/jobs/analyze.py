"""The main job: which failing traces of a window share a cause, and what to do about it."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import pyarrow.compute as pc

from graphmind.analysis.find import find
from graphmind.analysis.options import CauseOptions
from graphmind.analysis.window import window_from_facts
from graphmind.archive.port import Archive, Selection
from graphmind.graph.incidents import derived_rows
from graphmind.graph.port import Counters
from graphmind.graph.projection import project
from graphmind.graph.selection import choose_kept
from graphmind.incidents.changes import nearest_changes
from graphmind.incidents.identity import PAUSE_MS, keep_identities
from graphmind.incidents.incident import Incident
from graphmind.incidents.report import incidents_of, unexplained_ids
from graphmind.jobs.communities import refresh_communities
from graphmind.jobs.contamination import refresh_lineages
from graphmind.jobs.inventory import known_changes
from graphmind.jobs.references import refresh_references
from graphmind.jobs.seen import with_resemblance
from graphmind.jobs.signals import patterns_of, with_logged_codes
from graphmind.jobs.stores import Stores
from graphmind.jobs.where import locate
from graphmind.jobs.window import read_window
from graphmind.repair.alternatives import alternatives_to
from graphmind.repair.command import propose
from graphmind.settings import Settings
from graphmind.telemetry.assembly import assemble
from graphmind.telemetry.facts import Facts

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
    facts = read_window(stores.archive, selection, settings.window_traces)
    stage("finding shared causes")
    found = find_incidents(facts, settings)
    stage("locating incidents")
    periods = refresh_references(stores.archive, facts, found.incidents)
    located = locate(stores.archive, dated(stores.archive, found.incidents), facts, periods)
    window, known = window_numbers(facts), stores.archive.incidents()
    incidents = with_commands(keep_identities(located, _near(known, window)), facts)
    refresh_communities(stores.archive, facts)
    stage("writing the graph")
    others = _outside(known, window, incidents)
    incidents = _remembered(stores.archive, others, incidents)
    current = others + incidents
    stores.graph.ensure_schema()
    graph = _write_traces(stores, facts, settings)
    run_id = _run_id(facts)
    lineages = refresh_lineages(stores.archive, incidents, current)
    stores.graph.replace_derived(derived_rows(current, lineages, run_id), run_id)
    return Analysis(window=window, incidents=incidents, unexplained=found.unexplained, graph=graph)


@dataclass(frozen=True, kw_only=True)
class Found:
    """The incidents of a window, strongest first, and the failing traces in none of them."""

    incidents: list[Incident]
    unexplained: list[str]
    """Sorted."""


def find_incidents(facts: Facts, settings: Settings) -> Found:
    """Find what the facts of a window alone tell."""
    window = window_from_facts(facts)
    options = CauseOptions(alpha=settings.alpha, failures_min=settings.min_excess)
    findings = find(window, options)
    return Found(
        incidents=incidents_of(findings, window, facts),
        unexplained=unexplained_ids(findings, facts),
    )


def dated(archive: Archive, incidents: Sequence[Incident]) -> list[Incident]:
    """Say of each incident which changes came shortly before it."""
    changes = known_changes(archive, incidents)
    return [replace(each, changes=nearest_changes(each, changes)) for each in incidents]


def with_commands(incidents: Sequence[Incident], facts: Facts) -> list[dict[str, Any]]:
    """Return the documents of the incidents, each with the command it calls for."""
    return [
        incident.document() | {"command": propose(incident, alternatives_to(incident, facts))}
        for incident in incidents
    ]


def examine(
    facts: Facts, settings: Settings
) -> tuple[dict[str, Any], list[dict[str, Any]], list[str]]:
    """Return the window in numbers, its incidents with their commands, and what is unexplained."""
    found = find_incidents(facts, settings)
    return window_numbers(facts), with_commands(found.incidents, facts), found.unexplained


def window_numbers(facts: Facts) -> dict[str, Any]:
    """Return the window in numbers: traces as their weights estimate them, ``read`` as they are."""
    starts, weights = facts.traces["start_ns"], facts.traces["weight"]
    failing = facts.symptoms.filter(pc.is_valid(facts.symptoms["channel"]))["trace_id"]
    first, last = pc.min(starts).as_py(), pc.max(starts).as_py()
    return {
        "from_ms": None if first is None else first // MS_NS,
        "until_ms": None if last is None else last // MS_NS,
        "traces": round(pc.sum(pc.fill_null(weights, 1.0)).as_py() or 0),
        "read": facts.traces.num_rows,
        "failing": pc.count_distinct(failing).as_py(),
        "incomplete": pc.sum(pc.equal(facts.traces["outcome"], "incomplete")).as_py() or 0,
    }


def _outside(
    known: list[dict[str, Any]], window: dict[str, Any], found: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Keep what earlier analyses found outside this window; inside, this one speaks."""
    again = {incident["incident_id"] for incident in found}
    again |= {name for incident in found for name in incident["absorbed"]}
    return [
        incident
        for incident in known
        if incident["incident_id"] not in again
        and (
            window["from_ms"] is None
            or not window["from_ms"] <= incident["onset_ms"] <= window["until_ms"]
        )
    ]


def _remembered(
    archive: Archive, others: list[dict[str, Any]], incidents: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Store the incidents, then again with which past ones they resemble; return them."""
    archive.save_incidents(KEPT_AS, others + incidents)
    seen = with_resemblance(archive, incidents)
    archive.save_incidents(KEPT_AS, others + seen)
    return seen


def _near(known: list[dict[str, Any]], window: dict[str, Any]) -> list[dict[str, Any]]:
    """Keep what an incident of this window may continue."""
    if window["from_ms"] is None:
        return []
    first, last = window["from_ms"] - PAUSE_MS, window["until_ms"] + PAUSE_MS
    return [
        incident
        for incident in known
        if incident["onset_ms"] <= last
        and max([incident["onset_ms"], *(c["until_ms"] for c in incident["causes"])]) >= first
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
    spans = assemble(with_logged_codes(stores.archive.bare_spans(own), stores.archive.signals))
    kept, weights = choose_kept(facts, settings.healthy_share)
    logged = patterns_of(stores.archive.signals, facts.traces)
    return stores.graph.upsert(project(spans, facts, kept=kept, weights=weights, logged=logged))
