"""Findings over rows of a window become incidents with names, a place, an onset and a reach."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from graphmind.analysis.findings import Cause, Finding, Findings
from graphmind.analysis.origin import find_origin
from graphmind.analysis.window import Window
from graphmind.incidents.effects import Exposure, critical_effects, impact_effects
from graphmind.incidents.incident import Effect, Incident, Item, NamedCause, Reach
from graphmind.incidents.reach import reach_of
from graphmind.telemetry.facts import Facts
from graphmind.telemetry.symptoms import CHANNEL
from graphmind.telemetry.triggers import KIND as METRIC

MS_NS: Final = 1_000_000
CRITICAL_SHARE, MAJOR_SHARE = 0.05, 0.01
"""Severity by the incident's share of the window's traces (chosen)."""
SYMPTOM_WORDS: Final = {
    "error": "fail",
    "storm": "storm their callback",
    "hang": "hang",
    "wrong": "end with a wrong result",
    "slow": "are slow",
    "short": "end too early",
    "fork": "are dispatched twice",
    "loop": "go round in circles",
    METRIC: "are named by a metric beyond its threshold",
}


def incidents_of(findings: Findings, window: Window, facts: Facts) -> list[Incident]:
    """Name every finding; strongest first, as the analysis has them."""
    exposure = Exposure.of(window)
    return [_incident(finding, window, facts, exposure) for finding in findings.findings]


def _incident(finding: Finding, window: Window, facts: Facts, exposure: Exposure) -> Incident:
    rows = pa.array(finding.traces)
    traces = facts.traces.take(rows)
    ids = traces["trace_id"].combine_chunks()
    causes = tuple(
        _named(cause, rank, window) for rank, cause in enumerate(finding.causes, start=1)
    )
    symptom = _symptom(finding, facts, ids)
    origin = find_origin(facts.traces, finding.traces)
    module = origin.module if origin else None
    onset_ms = causes[0].onset_ms if causes else _first_ms(traces)
    items = facts.items.filter(pc.is_in(facts.items["trace_id"], value_set=ids))
    return Incident(
        incident_id=_identity(causes, symptom, onset_ms, ids),
        title=_title(causes, symptom, module, len(ids)),
        state="open",
        severity=_severity(window.weight[finding.traces].sum() / max(exposure.traces, 1.0)),
        cluster_id=_cluster_id(causes, symptom, module),
        symptom=symptom,
        channels=finding.channels,
        root_module=module,
        root_module_share=_rounded(origin.share) if origin else 0.0,
        root_path=origin.path if origin else "",
        root_span={"trace_id": origin.trace_id, "span_id": origin.span_id} if origin else {},
        error_codes=_counted(traces["error_code"]),
        onset_ms=onset_ms,
        opened_ms=onset_ms,
        confidence=causes[0].confidence if causes else 0.0,
        trace_ids=tuple(sorted(ids.to_pylist())),
        examples=_ids(facts, finding.examples),
        survivors=_ids(facts, finding.survivors),
        causes=causes,
        effects=_effects(finding, traces, window, exposure),
        changes=(),
        where=None,
        task_count=pc.count_distinct(traces["task"]).as_py(),
        agent_count=_distinct(items, "agent"),
        region_count=_distinct(items, "region"),
        unexplained_share=_unexplained_share(finding, causes),
        reach=reach_of(causes[0], facts) if causes else _no_reach(len(ids)),
    )


def _named(cause: Cause, rank: int, window: Window) -> NamedCause:
    all_of = _items(cause.items, window)
    return NamedCause(
        rank=rank,
        role="root",
        kind="+".join(item.kind for item in all_of),
        label=" + ".join(map(str, all_of)),
        all_of=all_of,
        tied=tuple(_items(items, window) for items in cause.tied),
        confidence=_rounded(cause.confidence),
        risk_ratio=_rounded(cause.risk_ratio),
        risk_ratio_low=_rounded(cause.risk_ratio_low),
        failed_with=_rounded(cause.failed_with),
        failed_total=_rounded(cause.failed_total),
        passed_with=_rounded(cause.passed_with),
        passed_total=_rounded(cause.passed_total),
        q_value=float(f"{cause.q_value:.3g}"),
        onset_ms=cause.onset_ns // MS_NS,
        until_ms=cause.until_ns // MS_NS,
        bounded=cause.bounded,
        rivals=tuple(
            {
                "all_of": [{"kind": i.kind, "name": i.name} for i in _items(items, window)],
                "nats_behind": _rounded(-difference),
            }
            for difference, items in cause.rivals
        ),
    )


def _items(items: Sequence[int], window: Window) -> tuple[Item, ...]:
    return tuple(Item(kind=window.item_kinds[i], name=window.item_names[i]) for i in items)


def _rounded(value: float) -> float:
    """Four decimals: more would claim more than the data say."""
    return round(float(value), 4)


def _effects(
    finding: Finding, traces: pa.Table, window: Window, exposure: Exposure
) -> tuple[Effect, ...]:
    """Return where the traces break, and who is hit because of the causes."""
    roots = [items for cause in finding.causes for items in (cause.items, *cause.tied)]
    named = {(window.item_kinds[i], window.item_names[i]) for items in roots for i in items}
    critical = critical_effects(traces, frozenset(named))
    if not roots:
        return critical
    impact = impact_effects(window, exposure, finding.traces, roots)
    return tuple(
        replace(effect, failing=_rounded(effect.failing), share=_rounded(effect.share))
        for effect in (*critical, *impact)
    )


def _symptom(finding: Finding, facts: Facts, ids: pa.Array) -> str:
    """Return the symptom most of its traces show in its channels; ties by what tells most."""
    shown = facts.symptoms
    own = pc.and_(
        pc.is_in(shown["trace_id"], value_set=ids),
        pc.is_in(shown["channel"], value_set=pa.array(finding.channels)),
    )
    counts = _counted(shown.filter(own)["kind"])
    order = [*CHANNEL, METRIC]
    return min(counts, key=lambda kind: (-counts[kind], order.index(kind)))


def _counted(column: pa.ChunkedArray) -> dict[str, int]:
    """Count the texts that are there, most frequent first, ties by name."""
    counts = {
        entry["values"]: entry["counts"]
        for entry in pc.value_counts(column.drop_null()).to_pylist()
    }
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def _distinct(items: pa.Table, kind: str) -> int:
    count: int = pc.count_distinct(items.filter(pc.equal(items["kind"], kind))["name"]).as_py()
    return count


def _first_ms(traces: pa.Table) -> int:
    first: int = pc.min(traces["start_ns"]).as_py()
    return first // MS_NS


def _ids(facts: Facts, rows: tuple[int, ...]) -> tuple[str, ...]:
    ids: list[str] = facts.traces["trace_id"].take(pa.array(rows, pa.int64())).to_pylist()
    return tuple(ids)


def _identity(causes: tuple[NamedCause, ...], symptom: str, onset_ms: int, ids: pa.Array) -> str:
    """Return an id that the same incident gets in every run: of its cause, symptom and onset."""
    what = causes[0].label if causes else min(ids.to_pylist())
    digest = hashlib.sha256(f"{what}|{symptom}|{onset_ms}".encode()).hexdigest()
    return f"inc-{digest[:10]}"


def _title(causes: tuple[NamedCause, ...], symptom: str, module: str | None, count: int) -> str:
    place = f" at {module}" if module else ""
    what = causes[0].label if causes else "no shared cause found"
    return f"{count} traces {SYMPTOM_WORDS[symptom]}{place}: {what}"


def _severity(share: float) -> str:
    if share >= CRITICAL_SHARE:
        return "critical"
    return "major" if share >= MAJOR_SHARE else "minor"


def _cluster_id(causes: tuple[NamedCause, ...], symptom: str, module: str | None) -> str:
    """Return a readable name such as ``CLUSTER_HANG_MODEL_V3_1``."""
    what = causes[0].all_of[-1].name if causes else f"UNEXPLAINED_{module or 'ANYWHERE'}"
    return "_".join(re.findall(r"[A-Z0-9]+", f"CLUSTER {symptom} {what}".upper()))


def _unexplained_share(finding: Finding, causes: tuple[NamedCause, ...]) -> float:
    """Share of its traces that would have failed without the cause, by its expectation."""
    if not causes:
        return 1.0
    cause: Cause = finding.causes[0]
    return _rounded(min(1.0, cause.expected / max(cause.failed_with, 1.0)))


def _no_reach(traces: int) -> Reach:
    return Reach(
        traces=traces,
        failing=traces,
        last_ms=None,
        tasks=(),
        agents=(),
        regions=(),
        written_keys=(),
    )


def unexplained_ids(findings: Findings, facts: Facts) -> list[str]:
    """Return the ids of failing traces that no finding holds, sorted."""
    rows: NDArray[np.int64] = findings.unexplained
    ids: list[str] = facts.traces["trace_id"].take(pa.array(rows)).to_pylist()
    return sorted(ids)
