"""An incident in time: failing traces by step, the onset, changes, states and repairs."""

from collections.abc import Mapping
from typing import Any, Final

import pyarrow as pa

from graphmind.archive.port import Archive
from graphmind.archive.queries import Wanted
from graphmind.archive.tallies import Stretch
from graphmind.jobs.reading.past import HOUR_MS, MS_NS, incident_as_of, near, ns, until_ms
from graphmind.jobs.reading.repairs import states_of
from graphmind.jobs.reading.traces import LOOKED_BACK_HOURS
from graphmind.jobs.stores import Stores

STEPS_MS: Final = tuple(
    seconds * 1000 for seconds in (1, 5, 10, 30, 60, 300, 600, 1800, 3600, 21_600, 86_400, 604_800)
)
STEPS_MAX: Final = 120
"""Points that a strip of time shows at most (chosen)."""
BEFORE: Final = 0.5
"""How long before the onset it begins, in lengths of the incident (chosen)."""
BEFORE_MIN_MS: Final = 10 * 60_000
LOOKED_BACK_MS: Final = 24 * 3_600_000
"""How long before the onset a healthy exposed trace is looked for (chosen)."""

Row = dict[str, Any]


def timeline(stores: Stores, incident_id: str, *, as_of_ms: int | None = None) -> Row:
    """Return an incident in time. Raises UnknownName."""
    with stores.archive.consistent():
        return _timeline(stores, incident_id, as_of_ms)


def _timeline(stores: Stores, incident_id: str, as_of_ms: int | None) -> Row:
    archive = stores.archive
    incident = incident_as_of(archive, incident_id, as_of_ms)
    onset, last = incident["onset_ms"], until_ms(incident, as_of_ms)
    first = onset - max(round(BEFORE * (last - onset)), BEFORE_MIN_MS)
    step_ms = step_for(last - first)
    own = pa.array(incident["trace_ids"], pa.string())
    low, high = onset_interval(archive, incident)
    return {
        "step_ms": step_ms,
        "points": _points(archive, own, first, last + 1, step_ms=step_ms),
        "onset_ms": onset,
        "onset_low_ms": low,
        "onset_high_ms": high,
        "changes": incident["changes"],
        "moments": incident.get("history") or [],
        "repairs": states_of(stores, incident_id, as_of_ms),
    }


def step_for(length_ms: int) -> int:
    """Return the shortest usual step by which a length has at most STEPS_MAX points."""
    fitting = (step for step in STEPS_MS if length_ms / step <= STEPS_MAX)
    return next(fitting, STEPS_MS[-1])


def onset_interval(archive: Archive, incident: Mapping[str, Any]) -> tuple[int, int]:
    """Return between which moments an incident began.

    From the last trace before the onset that touched the cause and was healthy, to the second
    failing one: a first failure may be chance. Without either it is the onset itself.
    """
    onset = int(incident["onset_ms"])
    own = pa.array(incident["trace_ids"], pa.string())
    starts = archive.queries.traces(own, near=near(incident))["start_ns"].to_pylist()
    second = starts[1] // MS_NS if len(starts) > 1 else onset
    return _last_healthy(archive, incident, onset), max(second, onset)


def _last_healthy(archive: Archive, incident: Mapping[str, Any], onset: int) -> int:
    """Return when the last exposed healthy trace before the onset began; else the onset."""
    if not incident["causes"]:
        return onset
    items = [(item["kind"], item["name"]) for item in incident["causes"][0]["all_of"]]
    for hours in (*LOOKED_BACK_HOURS, LOOKED_BACK_MS // HOUR_MS):
        since = ns(onset - hours * HOUR_MS)
        exposed = Wanted(items=items, failing=False, since_ns=since, until_ns=ns(onset))
        last = archive.queries.last_of(exposed)
        if last is not None:
            return last // MS_NS
    return onset


def _points(
    archive: Archive, own: pa.Array, first_ms: int, until: int, *, step_ms: int
) -> list[Row]:
    """Count all traces and the incident's by step; steps without traffic count nothing."""
    first_ms -= first_ms % step_ms
    time = {"from_ns": ns(first_ms), "until_ns": ns(until), "step_ns": step_ms * MS_NS}
    every = _by_step(archive.tallies.pace(Stretch(**time)))
    failing = _by_step(archive.tallies.pace(Stretch(**time, trace_ids=own)))
    return [
        {"at_ms": at, "traces": every.get(at, 0.0), "failing": failing.get(at, 0.0)}
        for at in range(first_ms, until, step_ms)
    ]


def _by_step(pace: pa.Table) -> dict[int, float]:
    at = [at_ns // MS_NS for at_ns in pace["at_ns"].to_pylist()]
    return dict(zip(at, pace["traces"].to_pylist(), strict=True))
