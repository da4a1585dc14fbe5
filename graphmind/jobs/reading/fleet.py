"""How agents, model versions, regions, keys and modules fare, and how well they are captured."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from graphmind.archive.port import Archive
from graphmind.archive.queries import Wanted
from graphmind.archive.tallies import Stretch
from graphmind.errors import UnknownName
from graphmind.incidents.lifecycle import CLOSED
from graphmind.jobs.drift import drift
from graphmind.jobs.reading.consistent import consistent
from graphmind.jobs.reading.past import ALL, MS_NS, head_as_of, ns
from graphmind.jobs.reading.timeline import step_for

KINDS: Final = {
    "agents": "agent",
    "model-versions": "model_version",
    "regions": "region",
    "kv-keys": "kv_key",
}
"""Kind of item by the collection that lists it."""
HOUR_MS: Final = 3_600_000
MINUTE_MS: Final = 60_000
NAMES_MAX: Final = 10_000
"""Things of a kind that are told apart, those with most failing traces (chosen)."""
Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Recent:
    """A stretch of time, ``since_ms <= start < until_ms``."""

    since_ms: int
    until_ms: int

    def stretch(self, step_ms: int = MINUTE_MS, trace_ids: pa.Array | None = None) -> Stretch:
        """Return it as the archive counts."""
        return Stretch(
            from_ns=ns(self.since_ms),
            until_ns=ns(self.until_ms),
            step_ns=step_ms * MS_NS,
            trace_ids=trace_ids,
        )


def recent(
    archive: Archive,
    *,
    since_ms: int | None = None,
    until_ms: int | None = None,
    as_of_ms: int | None = None,
    length_ms: int = HOUR_MS,
) -> Recent:
    """Return the time asked for; what is not given ends with the last trace and is an hour.

    ``as_of_ms`` cuts it: later traces are not known.
    """
    bound = [each for each in (until_ms, None if as_of_ms is None else as_of_ms + 1) if each]
    if not bound or (until_ms is None and as_of_ms is not None):
        last = archive.queries.last_start(before_ns=ns(min(bound)) if bound else None)
        bound.append(0 if last is None else last // MS_NS + 1)
    end = min(bound)
    return Recent(since_ms=end - length_ms if since_ms is None else since_ms, until_ms=end)


@consistent
def health(archive: Archive, kind: str, time: Recent, *, as_of_ms: int | None = None) -> list[Row]:
    """Return how the things of a kind fare, those with most failing traces first."""
    found = archive.tallies.groups(time.stretch(), kind, groups_max=NAMES_MAX).to_pylist()
    named = _named_by_incidents(archive, kind, as_of_ms)
    # Measuring the drift of all takes seconds: one agent's page and `GET /drift` tell it.
    return [
        _health(row) | {"incidents": named.get(row["name"], []), "drift": None} for row in found
    ]


@consistent
def health_in_time(
    archive: Archive, kind: str, name: str, time: Recent, *, as_of_ms: int | None = None
) -> Row:
    """Return how one thing fares, step by step. Raises UnknownName where no trace touches it."""
    wanted = Wanted(items=[(kind, name)], since_ns=ns(time.since_ms), until_ns=ns(time.until_ms))
    ids = archive.queries.ids(wanted, most=ALL)
    found = archive.tallies.groups(time.stretch(trace_ids=ids), kind, groups_max=NAMES_MAX)
    own = [row for row in found.to_pylist() if row["name"] == name]
    if not own:
        raise UnknownName(
            f"no trace touches {kind} {name} from {time.since_ms} to {time.until_ms}. Ask for "
            "another time with since_ms and until_ms"
        )
    step_ms = step_for(time.until_ms - time.since_ms)
    pace = archive.tallies.pace(time.stretch(step_ms, ids)).to_pylist()
    named = _named_by_incidents(archive, kind, as_of_ms)
    return _health(own[0]) | {
        "incidents": named.get(name, []),
        "drift": _drift(archive, kind, name, time),
        "step_ms": step_ms,
        "points": [
            {
                "at_ms": row["at_ns"] // MS_NS,
                "traces": row["traces"],
                "failing": row["failing"],
                "p95_ms": _ms(row["p95_ns"]),
            }
            for row in pace
        ],
    }


def heatmap(archive: Archive, time: Recent) -> Row:
    """Return modules by time; those with most failing traces first."""
    step_ms = step_for(time.until_ms - time.since_ms)
    cells = archive.tallies.modules(time.stretch(step_ms)).to_pylist()
    sums: dict[str, list[float]] = {}
    for cell in cells:
        total = sums.setdefault(cell["name"], [0.0, 0.0])
        total[0] += cell["failing"]
        total[1] += cell["traces"]
    return {
        "step_ms": step_ms,
        "since_ms": time.since_ms,
        "until_ms": time.until_ms,
        "modules": sorted(sums, key=lambda name: (-sums[name][0], -sums[name][1], name)),
        "cells": [
            {
                "module": cell["name"],
                "at_ms": cell["at_ns"] // MS_NS,
                "traces": cell["traces"],
                "failing": cell["failing"],
            }
            for cell in cells
        ],
    }


@consistent
def capture(archive: Archive, time: Recent, dropped: Mapping[str, int]) -> Row:
    """Return how complete the traces of a time are, by agent and module, and what was dropped."""
    whole = Recent(since_ms=time.since_ms, until_ms=time.until_ms)
    pace = archive.tallies.pace(whole.stretch(max(time.until_ms - time.since_ms, 1))).to_pylist()
    traces, complete = (sum(row[name] for row in pace) for name in ("traces", "complete"))
    return {
        "spans": sum(row["spans"] for row in pace),
        "traces": sum(row["kept"] for row in pace),
        "complete_ratio": complete / traces if traces else None,
        "dropped": dict(dropped),
        "agents": _captured(archive, "agent", whole),
        "modules": _captured(archive, "module", whole),
    }


def _captured(archive: Archive, kind: str, time: Recent) -> list[Row]:
    found = archive.tallies.groups(time.stretch(), kind, groups_max=NAMES_MAX).to_pylist()
    rows = [
        {
            "name": row["name"],
            "traces": row["kept"],
            "complete_ratio": row["complete"] / row["traces"],
            "sampled_share": min(row["kept"] / row["traces"], 1.0),
        }
        for row in found
    ]
    return sorted(rows, key=lambda row: (row["complete_ratio"], row["name"]))


def _health(row: Mapping[str, Any]) -> Row:
    return {
        "name": row["name"],
        "traces": row["traces"],
        "failing": row["failing"],
        "failing_share": row["failing"] / row["traces"] if row["traces"] else 0.0,
        "p95_ms": _ms(row["p95_ns"]),
        "last_ms": row["last_ns"] // MS_NS,
    }


def _drift(archive: Archive, kind: str, name: str, time: Recent) -> Row | None:
    """Return how far an agent drifted in a time, against as much before; other kinds do not."""
    if kind != KINDS["agents"]:
        return None
    hours = (time.until_ms - time.since_ms) / HOUR_MS
    for row in drift(archive, until_ms=time.until_ms, hours=hours, agent=name):
        return {
            "score": row["score"],
            "duration_shift": row["response_shift"],
            "branch_shift": row["branch_shift"],
        }
    return None


def _ms(duration_ns: float | None) -> float | None:
    return None if duration_ns is None else round(duration_ns / MS_NS, 3)


def _named_by_incidents(archive: Archive, kind: str, as_of_ms: int | None) -> dict[str, list[str]]:
    """Return the open incidents whose causes name things of a kind, by name."""
    named: dict[str, list[str]] = {}
    for head in archive.queries.incident_heads():
        stood = head_as_of(head, as_of_ms)
        if stood is None or stood.get("state") == CLOSED:
            continue
        names = {
            item["name"]
            for cause in stood["causes"]
            for item in cause["all_of"]
            if item["kind"] == kind
        }
        for name in names:
            named.setdefault(name, []).append(stood["incident_id"])
    return named


def page_of(
    rows: list[Row], after: tuple[int, str] | None, limit: int
) -> tuple[list[Row], tuple[int, str] | None]:
    """Return the rows of a page, and the place of its last if more follow.

    A place is thousandths of failing traces and a name: most failing first, then by name.
    """
    placed = sorted(((-round(1_000 * row["failing"]), row["name"], row) for row in rows), key=_key)
    if after is not None:
        placed = [each for each in placed if _key(each) > (-after[0], after[1])]
    page = placed[:limit]
    last = (-page[-1][0], page[-1][1]) if len(placed) > limit else None
    return [row for *_, row in page], last


def _key(placed: tuple[int, str, Row]) -> tuple[int, str]:
    return placed[:2]
