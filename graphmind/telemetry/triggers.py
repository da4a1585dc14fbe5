"""Metric samples become points; points beyond a threshold become anomalies, some of them symptoms.

A metric speaks of all that passed an agent or a module, so an anomaly blames no trace. Only a trace
that an exemplar names is known to be one of those measured: it alone gets a symptom.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from graphmind.settings import Settings
from graphmind.telemetry.facts import SYMPTOMS, Facts
from graphmind.telemetry.labels import MORE, Labels
from graphmind.telemetry.metrics import POINTS
from graphmind.telemetry.rejections import SAMPLES_MAX, Rejections
from graphmind.telemetry.resolver_table import Table, default_table

KIND: Final = "metric"
"""The symptom that an exemplar shows."""
ALERT: Final = "alert:"
"""How names of points begin that say since when an alert fires (1), and until when (0)."""
ENDLESS: Final = 2**63 - 1
"""The end of what lasts yet."""
UNUSABLE: Final = "metric sample without name, number or possible time"
WITHIN_NS: Final = 60_000_000_000
"""A counter is judged by its increase within a minute; and an exemplar may be a minute older than
the first value of the statistic that it is part of (chosen: four scrapes of 15 s)."""
CHRONIC_SHARE, CHRONIC_POINTS = 0.5, 10
"""A series beyond its threshold in more than half of at least ten points always is: its traces are
no worse than usual (chosen)."""

_TEXT: Final = pa.string()
_OUTCOME: Final = {"latency": "slow", "error": "failed"}
_SERVER_FAULT: Final = re.compile(r"5\d\d|.*(?:time.?out|deadline).*", re.IGNORECASE)
"""Answers to a state write that the store is to blame for (S08)."""


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """What fires when a signal goes beyond a threshold."""

    name: str
    signals: tuple[str, ...]
    """Names of points. One that ends in ``_total`` is a counter: its increase is judged."""
    threshold: float
    unit: str
    source: str
    """Where the threshold comes from."""
    channel: str
    server_faults: bool = False
    """Series whose labels state an answer count only if it is a 5xx or a timeout."""
    prefix: str = ""
    """Of the names of points, besides ``signals``. Such a value holds until the next one."""

    def hears(self, name: str) -> bool:
        """Whether points of that name are judged."""
        return name in self.signals or bool(self.prefix and name.startswith(self.prefix))


TRIGGERS: Final = (
    Trigger(
        name="latency p95",
        signals=("agent_trace_latency_p95", "latency_p95"),
        threshold=5.0,
        unit="s",
        source="S08",
        channel="latency",
    ),
    Trigger(
        name="retries",
        signals=("agent_retry_total",),
        threshold=3.0,
        unit="a minute",
        source="S08",
        channel="error",
    ),
    Trigger(
        name="state write errors",
        signals=("agent_state_write_error_total",),
        threshold=0.0,
        unit="a minute",
        source="S08",
        channel="error",
        server_faults=True,
    ),
    Trigger(
        name="callback failures",
        signals=("callback_failure_rate",),
        threshold=0.1,
        unit="of all",
        source="chosen: S22 takes 0.5 % for healthy and 36.8 % for broken",
        channel="error",
    ),
    Trigger(
        name="oldest call in flight",
        signals=("agent_inflight_oldest_seconds", "graphmind_inflight_oldest_seconds"),
        threshold=10.0,
        unit="s",
        source="setting hang_after_s",
        channel="latency",
    ),
    Trigger(
        name="alert of another system",
        signals=(),
        prefix=ALERT,
        threshold=0.0,
        unit="firing",
        source="whoever set the alert",
        channel="error",
    ),
)
"""All triggers; one line here is all that a new one needs."""


class Place(NamedTuple):
    """Where a span ran."""

    service: str | None
    agent: str | None
    module: str | None
    region: str | None
    model_version: str | None


@dataclass(frozen=True, kw_only=True)
class Anomaly:
    """A stretch of time in which one series was beyond the threshold of a trigger."""

    trigger: Trigger
    name: str
    service: str | None
    agent: str | None
    module: str | None
    region: str | None
    model_version: str | None
    labels: str
    from_ns: int
    until_ns: int
    value: float
    """The worst one: of a counter, its increase within a minute."""
    chronic: bool
    """The series is nearly always beyond: that is no news."""


def points(
    batch: pa.RecordBatch,
    rejected: Rejections,
    table: Table | None = None,
    *,
    latest_ns: int = 2**63 - 1,
) -> pa.RecordBatch:
    """Turn a batch of SAMPLES into POINTS; samples that cannot be used are counted.

    They have no name, no number, or a time before 1970 or after ``latest_ns``.
    """
    time_ns = batch.column("time_ns")
    timely = pc.and_(pc.greater_equal(time_ns, 0), pc.less_equal(time_ns, latest_ns))
    usable = pc.and_(pc.is_valid(batch.column("name")), pc.is_finite(batch.column("value")))
    usable = pc.fill_null(pc.and_(usable, timely), False)
    if pc.any(pc.invert(usable)).as_py():
        bad = batch.filter(pc.invert(usable))
        rejected.add(UNUSABLE, count=bad.num_rows)
        for name in bad.column("name").slice(0, SAMPLES_MAX).to_pylist():
            rejected.add(UNUSABLE, name or "", count=0)
        batch = batch.filter(usable)
    labels = Labels(table or default_table(), batch.column("labels"))
    columns = {
        **{name: batch.column(name) for name in ("time_ns", "value", "trace_id")},
        # As Prometheus writes the names of OpenTelemetry.
        "name": pc.replace_substring(batch.column("name"), ".", "_"),
        **{name: labels.column(name) for name in Place._fields},
        "labels": _sorted_json(batch.column("labels")),
    }
    return pa.RecordBatch.from_arrays([columns[name] for name in POINTS.names], schema=POINTS)


def _sorted_json(labels: pa.MapArray) -> pa.Array:
    written: dict[tuple[tuple[str, str], ...], str] = {}

    def write(pairs: tuple[tuple[str, str], ...]) -> str:
        if pairs not in written:
            text = orjson.dumps(dict(pairs), option=orjson.OPT_SORT_KEYS)
            written[pairs] = text.decode()
        return written[pairs]

    return pa.array([write(tuple(pairs or ())) for pairs in labels.to_pylist()], _TEXT)


def triggers(settings: Settings) -> tuple[Trigger, ...]:
    """Return the triggers with the thresholds that the user sets."""
    return tuple(
        replace(trigger, threshold=settings.hang_after_s)
        if trigger.source == "setting hang_after_s"
        else trigger
        for trigger in TRIGGERS
    )


def anomalies(found: pa.Table, settings: Settings) -> list[Anomaly]:
    """Return where the triggers fire in POINTS, by when each began, then by series."""
    fired = [
        anomaly
        for series in _series(found)
        for trigger in triggers(settings)
        if trigger.hears(series.name) and _counts(trigger, series.labels)
        for anomaly in _beyond(trigger, series)
    ]
    return sorted(fired, key=lambda each: (each.from_ns, each.name, each.labels))


def metric_symptoms(found: pa.Table, settings: Settings) -> pa.Table:
    """Return the symptoms (rows of SYMPTOMS) of the traces that exemplars among POINTS name.

    An exemplar counts where its trigger fires at that place and time, not all the time, and where
    its own value, if it is not of a counter, is beyond the threshold too.
    """
    fired = [anomaly for anomaly in anomalies(found, settings) if not anomaly.chronic]
    rows = [
        {
            "trace_id": row["trace_id"],
            "kind": KIND,
            "channel": anomaly.trigger.channel,
            "began_ns": row["time_ns"],
            "module": row["module"],
            "code": f"{anomaly.trigger.name} > {anomaly.trigger.threshold:g}",
        }
        for row in found.filter(pc.is_valid(found["trace_id"])).to_pylist()
        if (anomaly := next((each for each in fired if _part_of(each, row)), None))
    ]
    return pa.Table.from_pylist(rows, schema=SYMPTOMS)


def with_symptoms(facts: Facts, shown: pa.Table) -> Facts:
    """Add symptoms (rows of SYMPTOMS) to traces that show none in that channel.

    Such a trace went wrong within its own time, whatever the clock of the metric says.
    """
    rows = _own(facts, shown)
    if not rows:
        return facts
    worst = {row["trace_id"]: _OUTCOME[row["channel"]] for row in rows}
    outcomes = [
        worst.get(trace_id, outcome) if outcome in ("ok", "incomplete") else outcome
        for trace_id, outcome in zip(
            *(facts.traces[name].to_pylist() for name in ("trace_id", "outcome")), strict=True
        )
    ]
    at = facts.traces.schema.get_field_index("outcome")
    field = facts.traces.schema.field(at)
    added = pa.Table.from_pylist(rows, schema=SYMPTOMS)
    return replace(
        facts,
        traces=facts.traces.set_column(at, field, pa.array(outcomes, _TEXT)),
        symptoms=pa.concat_tables([facts.symptoms, added]),
    )


def _own(facts: Facts, shown: pa.Table) -> list[dict[str, Any]]:
    """Return the symptoms that say something new, the first of each trace and channel."""
    here = pc.is_in(facts.traces["trace_id"], value_set=pc.unique(shown["trace_id"]))
    traces = facts.traces.filter(here).select(["trace_id", "start_ns", "duration_ns"])
    times = {
        trace_id: (start_ns, start_ns + duration_ns)
        for trace_id, start_ns, duration_ns in zip(
            *(traces[name].to_pylist() for name in traces.column_names), strict=True
        )
    }
    known = {
        (row["trace_id"], row["channel"])
        for row in facts.symptoms.filter(
            pc.is_in(facts.symptoms["trace_id"], value_set=traces["trace_id"].combine_chunks())
        ).to_pylist()
    }
    rows = []
    for row in shown.sort_by("began_ns").to_pylist():
        place = row["trace_id"], row["channel"]
        if row["trace_id"] not in times or place in known:
            continue
        known.add(place)
        first, last = times[row["trace_id"]]
        rows.append({**row, "began_ns": min(max(row["began_ns"], first), last)})
    return rows


@dataclass(frozen=True, kw_only=True)
class _Series:
    """The plain points of one name and label set, by time."""

    name: str
    labels: str
    place: dict[str, str | None]
    times: NDArray[np.int64]
    values: NDArray[np.float64]


def _series(found: pa.Table) -> Iterator[_Series]:
    plain = found.filter(pc.is_null(found["trace_id"]))
    plain = plain.sort_by([(name, "ascending") for name in ("name", "labels", "time_ns")])
    names, labels = plain["name"].to_pylist(), plain["labels"].to_pylist()
    keys = list(zip(names, labels, strict=True))
    bounds = [row for row, key in enumerate(keys) if row == 0 or key != keys[row - 1]]
    for first, until in pairwise([*bounds, len(keys)]):
        part = plain.slice(first, until - first)
        yield _Series(
            name=names[first],
            labels=labels[first] or "{}",
            place={name: part[name][0].as_py() for name in Place._fields},
            times=part["time_ns"].to_numpy(),
            values=part["value"].to_numpy(),
        )


def _counts(trigger: Trigger, labels: str) -> bool:
    """Whether a series is of the failures that a trigger is about."""
    if not trigger.server_faults:
        return True
    stated = orjson.loads(labels)
    answers = [stated[name] for name in MORE["answer"] if name in stated]
    return not answers or any(_SERVER_FAULT.fullmatch(str(answer)) for answer in answers)


def _beyond(trigger: Trigger, series: _Series) -> Iterator[Anomaly]:
    """Yield the runs of values beyond the threshold."""
    values, since = _judged(series)
    beyond = values > trigger.threshold
    edges = np.flatnonzero(np.diff(np.concatenate([[False], beyond, [False]]).astype(np.int8)))
    # Where a run ends: at its last point, or where a value holds at the next one.
    ends = np.append(series.times[1:], ENDLESS) if trigger.prefix else series.times
    chronic = len(values) >= CHRONIC_POINTS and beyond.mean() > CHRONIC_SHARE
    for first, until in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        yield Anomaly(
            trigger=trigger,
            name=series.name,
            **series.place,
            labels=series.labels,
            from_ns=int(since[first]),
            until_ns=int(ends[until - 1]),
            value=float(values[first:until].max()),
            chronic=bool(chronic),
        )


def _judged(series: _Series) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return what is held against the threshold at each point, and since when it may be so.

    Of a counter that is its increase within a minute, or since the point before. One that falls
    was started again; the first point says nothing.
    """
    if not series.name.endswith("_total"):
        return series.values, series.times
    with np.errstate(over="ignore", invalid="ignore"):  # garbage near the largest float
        steps = np.diff(series.values, prepend=series.values[:1])
        total = np.cumsum(np.where(steps < 0, series.values, steps))
        before = np.maximum(np.arange(len(total)) - 1, 0)
        first = np.minimum(np.searchsorted(series.times, series.times - WITHIN_NS), before)
        return total - total[first], series.times[before]


def _part_of(anomaly: Anomaly, row: dict[str, Any]) -> bool:
    """Whether an exemplar is one of the observations that an anomaly is made of."""
    trigger = anomaly.trigger
    counter = row["name"].endswith("_total")
    return (
        trigger.hears(row["name"])
        and anomaly.from_ns - WITHIN_NS <= row["time_ns"] <= anomaly.until_ns
        and (counter or row["value"] > trigger.threshold)
        and all(
            row[name] is None or getattr(anomaly, name) in (None, row[name])
            for name in Place._fields
        )
    )


def in_places(fired: Sequence[Anomaly], places: set[Place]) -> list[Anomaly]:
    """Keep the anomalies that some place takes part in: what one does not state fits.

    The service counts only where neither agent nor module is stated: a scraper's name for its
    target is often no service.
    """
    return [anomaly for anomaly in fired if any(_fits(anomaly, place) for place in places)]


def _fits(anomaly: Anomaly, place: Place) -> bool:
    stated = (anomaly.agent, anomaly.module, anomaly.region, anomaly.model_version)
    own = (place.agent, place.module, place.region, place.model_version)
    told = anomaly.agent is not None or anomaly.module is not None
    return all(word in (None, name) for word, name in zip(stated, own, strict=True)) and (
        told or anomaly.service in (None, place.service)
    )
