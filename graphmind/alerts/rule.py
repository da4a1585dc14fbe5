"""When failures of one fingerprint pile up: more than so many within any stretch of a window."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from graphmind.alerts.fingerprint import FailureFingerprint, Failures

OWN_SHARE: Final = 0.5
"""An alert belongs to the incident that holds at least this share of its traces (chosen)."""


@dataclass(frozen=True, kw_only=True)
class Burst:
    """The latest failures of one fingerprint with no pause of a window between them."""

    fingerprint: FailureFingerprint
    most: int
    """Failing traces within the fullest window."""
    last_window: int
    """Failing traces within the window that ends with the last of them."""
    first_ms: int
    last_ms: int
    trace_ids: tuple[str, ...]
    """By the time at which they went wrong."""


def latest_burst(
    failures: Failures, window_ms: int, *, after_ms: int | None = None
) -> Burst | None:
    """Return the latest burst; a window holds ``t - window_ms < began <= t``.

    What began until ``after_ms`` is not counted. None where nothing else failed.
    """
    pauses = np.flatnonzero(np.diff(failures.began_ms) >= window_ms)
    start = int(pauses[-1]) + 1 if len(pauses) else 0
    if after_ms is not None:
        start = max(start, int(np.searchsorted(failures.began_ms, after_ms, "right")))
    began = failures.began_ms[start:]
    if not len(began):
        return None
    within = np.arange(1, len(began) + 1) - np.searchsorted(began, began - window_ms, "right")
    return Burst(
        fingerprint=failures.fingerprint,
        most=int(within.max()),
        last_window=int(within[-1]),
        first_ms=int(began[0]),
        last_ms=int(began[-1]),
        trace_ids=failures.trace_ids[start:],
    )


def incident_of(
    trace_ids: Sequence[str], incidents: Sequence[Mapping[str, Any]]
) -> Mapping[str, Any] | None:
    """Return the incident that holds most of the traces, if that is half of them; ties by id."""
    own = frozenset(trace_ids)
    held = [(len(own.intersection(each["trace_ids"])), each) for each in incidents]
    held = [(count, each) for count, each in held if count >= max(OWN_SHARE * len(own), 1)]
    if not held:
        return None
    return min(held, key=lambda pair: (-pair[0], str(pair[1]["incident_id"])))[1]
