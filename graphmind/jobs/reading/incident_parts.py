"""The parts of an incident: its traces, its causes with what they leave open, who is exposed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import exp
from typing import Any, Final

import pyarrow as pa

from graphmind.archive.port import Archive
from graphmind.archive.queries import ItemName, Split, Time, TracePlace, Wanted
from graphmind.errors import UnknownName
from graphmind.jobs.contamination import CARRIERS
from graphmind.jobs.contamination import KIND as LINEAGE
from graphmind.jobs.reading.consistent import consistent
from graphmind.jobs.reading.past import MS_NS, incident_as_of, near, ns, until_ms
from graphmind.jobs.reading.sentence import items_in_words

Row = dict[str, Any]
INHERITED: Final = CARRIERS - {"kv_key"}
"""Kinds that no span of a trace names itself: the archive's items do not hold them."""
NAMES_MAX: Final = 1_000
"""Names of a kind that an exposure lists (chosen)."""
EXPOSED_AFTER_MS: Final = 3_600_000
"""How long after the last failure traces count as exposed (chosen)."""
SAME_RATE: Final = 1.5
"""Failing shares that differ by less are told as equal (chosen)."""


@dataclass(frozen=True, kw_only=True)
class TracesPage:
    """Traces (LISTED with ``explained``), and the place of the last if more follow."""

    items: list[Row]
    last: TracePlace | None


@consistent
def incident_traces(
    archive: Archive,
    incident_id: str,
    *,
    after: TracePlace | None,
    limit: int,
    explained: bool | None = None,
    cause: int | None = None,
    as_of_ms: int | None = None,
) -> TracesPage:
    """Return traces of an incident, oldest first. Raises UnknownName.

    A trace is explained by a cause (of a rank, or any) that names what it touches.
    """
    incident = incident_as_of(archive, incident_id, as_of_ms)
    causes = _causes(incident, cause)
    own: list[str] = incident["trace_ids"]
    known: frozenset[str] | None = None
    if explained is not None:
        known = frozenset[str]().union(*_explained(archive, incident, causes, own))
        own = [trace_id for trace_id in own if (trace_id in known) == explained]
    wanted = Wanted(trace_ids=pa.array(own, pa.string()), near=near(incident))
    page = archive.queries.page(wanted, after=after, limit=limit + 1, oldest_first=True)
    if known is None:
        shown = page["trace_id"].to_pylist()
        known = frozenset[str]().union(*_explained(archive, incident, causes, shown))
    rows = [row | {"explained": row["trace_id"] in known} for row in page.to_pylist()]
    last = rows[limit - 1] if len(rows) > limit else None
    return TracesPage(
        items=rows[:limit], last=(last["start_ns"], last["trace_id"]) if last else None
    )


@consistent
def incident_causes(
    archive: Archive, incident_id: str, *, as_of_ms: int | None = None
) -> list[Row]:
    """Return the causes with their shares, what they leave open, and why rivals lost.

    Raises UnknownName.
    """
    incident = incident_as_of(archive, incident_id, as_of_ms)
    found = _explained(archive, incident, incident["causes"], incident["trace_ids"])
    return [
        cause
        | {
            "failed_share": _share(cause["failed_with"], cause["failed_total"]),
            "passed_share": _share(cause["passed_with"], cause["passed_total"]),
            "risk_ratio_high": ratio_high(cause),
            "unexplained_traces": len(incident["trace_ids"]) - len(explained),
            "rivals": [
                rival | {"why_lost": why}
                for rival, why in zip(
                    cause["rivals"], _why_lost(archive, incident, cause), strict=True
                )
            ],
        }
        for cause, explained in zip(incident["causes"], found, strict=True)
    ]


def contingencies(incident: Mapping[str, Any]) -> list[Row]:
    """Return the four counts behind each cause."""
    return [
        {
            **{name: cause[name] for name in ("rank", "label", "failed_with", "passed_with")},
            "failed_without": cause["failed_total"] - cause["failed_with"],
            "passed_without": cause["passed_total"] - cause["passed_with"],
            "risk_ratio": cause["risk_ratio"],
            "risk_ratio_low": cause["risk_ratio_low"],
            "risk_ratio_high": ratio_high(cause),
        }
        for cause in incident["causes"]
    ]


@consistent
def exposure(archive: Archive, incident_id: str, *, as_of_ms: int | None = None) -> Row:
    """Return who touches the first cause from the onset to an hour after it last failed.

    Without a cause, or with one that no span names itself, it is what the analysis saw. Raises
    UnknownName.
    """
    incident = incident_as_of(archive, incident_id, as_of_ms)
    known: Row = incident["reach"]
    group = _plain(incident["causes"][0]["all_of"]) if incident["causes"] else None
    if group is None:
        healthy = known["traces"] - known["failing"]
        return known | {
            "since_ms": incident["onset_ms"],
            "still_healthy": healthy,
            "keys": known["written_keys"],
        }
    last_ms = until_ms(incident, as_of_ms) + EXPOSED_AFTER_MS
    end_ms = last_ms if as_of_ms is None else min(last_ms, as_of_ms + 1)
    time = Time(since_ns=ns(incident["onset_ms"]), until_ns=ns(end_ms))
    found = archive.queries.exposed(group, time, names_max=NAMES_MAX)
    traces, failing = round(found["traces"]), round(found["failing"])
    return {
        "traces": traces,
        "failing": failing,
        "still_healthy": traces - failing,
        "since_ms": incident["onset_ms"],
        "last_ms": None if found["last_ns"] is None else found["last_ns"] // MS_NS,
        "tasks": found["task"],
        "agents": found["agent"],
        "regions": found["region"],
        "keys": found["kv_key"],
        "written_keys": known["written_keys"],
    }


SCOPED: Final = frozenset(
    ("agent", "instance", "service", "model_version", "prompt_version", "kv_key", "region")
)
"""Kinds of item by whose name the graph's `repair_scope` finds traces."""


def scope_of(archive: Archive, incident_id: str) -> dict[str, Any]:
    """Return what `repair_scope` is asked about: what the first cause names, else the incident."""
    incident: Mapping[str, Any] = archive.incident(incident_id)
    named = incident["causes"][0]["all_of"] if incident["causes"] else ()
    names = [item["name"] for item in named if item["kind"] in SCOPED]
    if not names or len(names) < len(named):
        return {"names": incident_id}
    return {"names": names[0], "also": "".join(names[1:2]), "from_ms": incident["onset_ms"]}


def ratio_high(cause: Mapping[str, Any]) -> float:
    """Return the upper end of a cause's interval, which is even on the scale of logarithms."""
    low: float = cause["risk_ratio_low"]
    return round(cause["risk_ratio"] ** 2 / low, 4) if low > 0 else float(cause["risk_ratio"])


def _causes(incident: Mapping[str, Any], rank: int | None) -> Sequence[Mapping[str, Any]]:
    causes: Sequence[Mapping[str, Any]] = incident["causes"]
    if rank is None:
        return causes
    chosen = [cause for cause in causes if cause["rank"] == rank]
    if not chosen:
        raise UnknownName(
            f"incident {incident['incident_id']} has no cause of rank {rank}: it has {len(causes)}"
        )
    return chosen


def _explained(
    archive: Archive,
    incident: Mapping[str, Any],
    causes: Sequence[Mapping[str, Any]],
    trace_ids: Sequence[str],
) -> list[frozenset[str]]:
    """Return, for each cause, which of some traces of the incident touch all it names."""
    own = pa.array(trace_ids, pa.string())
    spans_name = [_direct(cause["all_of"]) for cause in causes]
    found = archive.queries.touching(spans_name, own, near=near(incident)) if causes else []
    carried: frozenset[str] | None = None
    explained = []
    for cause, named, touching in zip(causes, spans_name, found, strict=True):
        if len(named) == len(cause["all_of"]):
            explained.append(touching)
            continue
        carried = _carried(archive, incident) if carried is None else carried
        explained.append(carried & touching if named else carried)
    return explained


def _carried(archive: Archive, incident: Mapping[str, Any]) -> frozenset[str]:
    """Return the traces of an incident that a bad value reached, by its lineage."""
    lineage = archive.document(LINEAGE, incident["incident_id"]) or {"contaminated": ()}
    return frozenset(row["from"] for row in lineage["contaminated"]) & {*incident["trace_ids"]}


def _direct(items: Sequence[Mapping[str, str]]) -> list[ItemName]:
    return [(item["kind"], item["name"]) for item in items if item["kind"] not in INHERITED]


def _plain(items: Sequence[Mapping[str, str]]) -> list[ItemName] | None:
    """Return the items by kind and name; None where one is inherited."""
    named = _direct(items)
    return named if len(named) == len(items) else None


def _share(part: float, whole: float) -> float:
    return round(part / whole, 4) if whole else 0.0


def _why_lost(archive: Archive, incident: Mapping[str, Any], cause: Mapping[str, Any]) -> list[str]:
    """Say of each rival what is left of it once the traces of the cause are taken out."""
    own, rivals = _plain(cause["all_of"]), [_plain(each["all_of"]) for each in cause["rivals"]]
    told = [rival for rival in rivals if rival is not None]
    left: Iterator[Split] = iter(())
    if own is not None and told:
        time = Time(since_ns=ns(cause["onset_ms"]), until_ns=ns(until_ms(incident) + 1))
        channels = incident["channels"]
        left = iter(archive.queries.splits(told, without=own, channels=channels, time=time))
    return [
        _lost(cause, rival, None if own is None or named is None else next(left))
        for rival, named in zip(cause["rivals"], rivals, strict=True)
    ]


def _lost(cause: Mapping[str, Any], rival: Mapping[str, Any], left: Split | None) -> str:
    behind = f"it explains the failures {_odds(rival['nats_behind'])} less well"
    if left is None:
        return behind
    out = f"once {items_in_words(cause['all_of'])} is taken out"
    with_it, without = _rates(left)
    if with_it is None:
        return f"it is never touched {out}: nothing speaks for it alone, and {behind}"
    shares = f"{_percent(with_it)} of its traces fail, {_percent(without)} of the others"
    if with_it < SAME_RATE * max(without, 1e-9):
        return f"{out}, it fails no more than the rest: {shares}"
    return f"{out}, {shares}; yet {behind}"


def _rates(left: Split) -> tuple[float | None, float]:
    """Return the failing shares with and without; None where no trace has it."""
    with_it = left.failed_with + left.passed_with
    without = left.failed_without + left.passed_without
    return (
        left.failed_with / with_it if with_it else None,
        left.failed_without / without if without else 0.0,
    )


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %"


def _odds(nats: float) -> str:
    """Tell a difference in nats as odds."""
    if nats > 7:
        return "more than 1,000 times"
    return f"{max(exp(nats), 1.0):.2g} times"
