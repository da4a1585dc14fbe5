"""Alerts of others: webhook bodies of Alertmanager (version 4) and Grafana become samples.

An alert says that something is wrong somewhere, at a time: the sample ``alert:NAME`` is 1 from its
start and 0 from its end, with its labels, by which it is joined to what ran there.
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec
import pyarrow as pa

from graphmind.errors import SourceError
from graphmind.telemetry.metrics import SAMPLES
from graphmind.telemetry.rejections import Rejections
from graphmind_loaders.records import MISSHAPEN, read_as, sample
from graphmind_loaders.values import iso_ns

NAME: Final = "alertname"
PREFIX: Final = "alert:"
FIRING, RESOLVED = "firing", "resolved"
NOT_ENDED: Final = "0001-01-01T00:00:00"
"""How Go writes that there is no time."""
ALERTS_MAX: Final = 10_000
"""Alerts read of one body (chosen); the rest is counted as rejected."""
VERSION: Final = "4"


class _Alert(msgspec.Struct, frozen=True):
    """What is read of an alert; Grafana adds fields of its own."""

    status: str
    labels: dict[str, str]
    startsAt: str  # noqa: N815 - as it is written
    endsAt: str = NOT_ENDED  # noqa: N815


class _Body(msgspec.Struct, frozen=True):
    """A webhook's body."""

    alerts: list[Any]
    version: str = VERSION


def samples(body: bytes, rejected: Rejections) -> pa.RecordBatch:
    """Read a body into SAMPLES; raises SourceError where it is no such body at all.

    An alert that is no alert is counted. The same alert sent again gives the same samples.
    """
    try:
        read = msgspec.json.decode(body, type=_Body)
    except (ValueError, RecursionError) as error:
        raise SourceError(
            f"expected the JSON of an Alertmanager webhook, with `alerts`: {error}"
        ) from error
    # Grafana says "1"; its alerts are the same.
    if read.version not in (VERSION, "1"):
        raise SourceError(
            f"expected version {VERSION} of the Alertmanager webhook, got {read.version[:20]!r}"
        )
    if len(read.alerts) > ALERTS_MAX:
        rejected.add(f"alert beyond {ALERTS_MAX} in a body", count=len(read.alerts) - ALERTS_MAX)
    rows = [row for one in read.alerts[:ALERTS_MAX] for row in _rows(one, rejected)]
    return pa.RecordBatch.from_pylist(rows, schema=SAMPLES)


def _rows(value: Any, rejected: Rejections) -> Iterator[dict[str, Any]]:
    alert = read_as(value, _Alert, rejected)
    if alert is None:
        return
    try:
        times = list(_times(alert))
    except ValueError as error:
        rejected.add(MISSHAPEN, f"{error}: {sample(value)}")
        return
    for time_ns, level in times:
        yield {
            "name": f"{PREFIX}{alert.labels[NAME]}",
            "time_ns": time_ns,
            "value": level,
            "labels": [(key, text) for key, text in alert.labels.items() if key != NAME],
            "trace_id": None,
        }


def _times(alert: _Alert) -> Iterator[tuple[int, float]]:
    """Yield when it began and, if it has, when it ended; raises ValueError for what is no alert."""
    if not alert.labels.get(NAME):
        raise ValueError(f"expected a label {NAME}")
    if alert.status not in (FIRING, RESOLVED):
        raise ValueError(f"expected the status {FIRING} or {RESOLVED}, got {alert.status[:20]!r}")
    yield iso_ns(alert.startsAt), 1.0
    if alert.status == RESOLVED and not alert.endsAt.startswith(NOT_ENDED):
        yield iso_ns(alert.endsAt), 0.0
