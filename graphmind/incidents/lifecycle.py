"""States of an incident from run to run: opened, growing, steady, recovering, closed, reopened.

States are judged by minutes of telemetry, so each but ``closed`` is held for a minute. ``closed``
ends an incident until it fails again; an incident that another took in is closed too and names
that one in ``merged_into``.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

OPENED: Final = "opened"
GROWING: Final = "growing"
STEADY: Final = "steady"
RECOVERING: Final = "recovering"
CLOSED: Final = "closed"
REOPENED: Final = "reopened"

_GOES_ON: Final = frozenset({GROWING, STEADY, RECOVERING, CLOSED})
TRANSITIONS: Final[Mapping[str, frozenset[str]]] = {
    OPENED: _GOES_ON,
    GROWING: _GOES_ON - {GROWING},
    STEADY: _GOES_ON - {STEADY},
    RECOVERING: _GOES_ON - {RECOVERING},
    CLOSED: frozenset({REOPENED}),
    REOPENED: _GOES_ON,
}
"""Which states may follow each; an incident begins as ``opened``."""

MINUTE_MS: Final = 60_000
HELD_MS: Final = MINUTE_MS
"""How long a state lasts at least: what it is judged by is counted over as long."""
CLOSED_AFTER_MS: Final = 10 * MINUTE_MS
"""Quiet for so long while its cause was touched: over (chosen)."""
FORGOTTEN_AFTER_MS: Final = 30 * MINUTE_MS
"""Quiet for so long while nobody touched its cause, so that nobody can tell: over (chosen)."""
CLEARLY: Final = 2.0
"""Standard deviations by which the counts of two minutes differ clearly (chosen)."""
YOUNG_SHARE: Final = 0.1
"""It grows while the last minute brings at least this share of its traces (chosen)."""
RECOVERED_SHARE: Final = 1 / 3
"""It recovers when what is exposed fails less often than this part of its own share (chosen)."""
EXPECTED_MIN: Final = 5.0
"""... of at least so many failures expected: fewer than a third of 5 is chance once in 25."""
HISTORY_MAX: Final = 200
"""Entries of history kept: the first, and the latest (chosen: hours of changes)."""

Document = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Recent:
    """How an incident fared in the two minutes before now."""

    failing_last_minute: int
    """Of its traces, those whose symptom began then."""
    failing_minute_before: int
    exposed_last_minute: int
    """Traces that touched its first cause, failing or not."""
    healthy_last_minute: int
    """Of those exposed."""
    last_failing_ms: int | None
    """When the symptom of its latest failing trace began; None where no such trace is at hand."""


@dataclass(frozen=True, kw_only=True)
class _Judged:
    """The state an incident should be in, and why."""

    state: str
    reason: str


_FIRST: Final = _Judged(state=OPENED, reason="found for the first time")


def advance(
    document: Document, past: Document | None, *, now_ms: int, recent: Recent
) -> dict[str, Any]:
    """Return the document of an incident found now, with its state and history.

    ``past`` is the document of the same incident as it was stored last. Sets ``state``,
    ``state_since_ms``, ``closed_ms``, ``merged_into``, ``last_failing_ms`` and ``history``.
    """
    last_ms = _last_failing_ms(document, past, recent)
    if past is None or past.get("state") not in TRANSITIONS:
        lived = _entered(document, _FIRST, (), now_ms)
    elif past["state"] == CLOSED:
        lived = _closed_or_reopened(document, past, last_ms, now_ms)
    else:
        lived = _moved(document, past, _judged(document, recent, now_ms - last_ms), now_ms)
    lived["last_failing_ms"] = last_ms
    for reason in _mergers(document, past):
        lived["history"] = _appended(lived["history"], lived, reason, now_ms)
    return lived


def vanished(
    past: Document, *, now_ms: int, recent: Recent, merged_into: str | None = None
) -> dict[str, Any]:
    """Return the document of a known incident that was not found now.

    It goes on by the same clock until it is closed; ``merged_into`` names the incident that took
    it in, which closes it at once.
    """
    if merged_into is not None and past.get("state") == CLOSED:
        return dict(past)
    if merged_into is not None:
        merged = _Judged(state=CLOSED, reason=f"merged into {merged_into}")
        lived = _entered(past, merged, past.get("history", ()), now_ms)
        last_ms = _last_failing_ms(past, past, recent)
        return lived | {"merged_into": merged_into, "last_failing_ms": last_ms}
    if past.get("state") not in TRANSITIONS:
        # One of an analysis without life cycle: it may be long over.
        last_ms = _last_failing_ms(past, None, recent)
        judged = _judged(past, recent, now_ms - last_ms)
        begun = judged if judged.state == CLOSED else _FIRST
        return _entered(past, begun, (), now_ms) | {"last_failing_ms": last_ms}
    return advance(past, past, now_ms=now_ms, recent=recent)


def _closed_or_reopened(
    document: Document, past: Document, last_ms: int, now_ms: int
) -> dict[str, Any]:
    """Reopen what failed since it was closed; a trace that only came late does not count."""
    if last_ms > past["closed_ms"] and now_ms > past["state_since_ms"]:
        again = _Judged(state=REOPENED, reason="fails again")
        return _entered(document, again, past["history"], now_ms)
    return _stayed(document, past)


def _moved(document: Document, past: Document, judged: _Judged, now_ms: int) -> dict[str, Any]:
    held = now_ms - past["state_since_ms"] >= HELD_MS
    if held and judged.state != past["state"]:
        assert judged.state in TRANSITIONS[past["state"]], f"{past['state']} -> {judged.state}"
        return _entered(document, judged, past["history"], now_ms)
    return _stayed(document, past)


def _judged(document: Document, recent: Recent, quiet_ms: int) -> _Judged:
    """Say in which state an incident is that is not closed."""
    exposed = recent.exposed_last_minute
    told = exposed > 0 or not document["causes"]
    if quiet_ms >= (CLOSED_AFTER_MS if told else FORGOTTEN_AFTER_MS):
        return _Judged(state=CLOSED, reason=f"none failed for {quiet_ms // MINUTE_MS} min")
    if exposed and quiet_ms > MINUTE_MS:
        return _Judged(
            state=RECOVERING,
            reason=f"none failed for {quiet_ms // 1000} s, {exposed} exposed in the last minute",
        )
    if _mostly_healthy(document, recent):
        reason = f"{recent.healthy_last_minute} of {exposed} exposed are healthy in the last minute"
        return _Judged(state=RECOVERING, reason=reason)
    last, before = recent.failing_last_minute, recent.failing_minute_before
    reason = f"{last} failed in the last minute, {before} in the one before"
    return _Judged(state=GROWING if _grows(document, last, before) else STEADY, reason=reason)


def _mostly_healthy(document: Document, recent: Recent) -> bool:
    """Whether what is exposed fails much less often than when the incident was found."""
    exposed, own = recent.exposed_last_minute, _failed_share(document)
    failing = exposed - recent.healthy_last_minute
    return exposed * own >= EXPECTED_MIN and failing < RECOVERED_SHARE * own * exposed


def _failed_share(document: Document) -> float:
    """Share of the traces touching the first cause that failed; 1 where no cause is known."""
    if not document["causes"]:
        return 1.0
    failed, passed = (float(document["causes"][0][name]) for name in ("failed_with", "passed_with"))
    return failed / (failed + passed) if failed > 0 else 1.0


def _grows(document: Document, last: int, before: int) -> bool:
    """Whether the rate rises clearly, or holds while the incident is young."""
    if last == 0:
        return False
    rise = (last - before) / math.sqrt(last + before)
    young = last >= YOUNG_SHARE * len(document["trace_ids"])
    return rise > CLEARLY or (young and rise > -CLEARLY)


def _last_failing_ms(document: Document, past: Document | None, recent: Recent) -> int:
    """Return when it last failed as far as is known; its telemetry may be gone."""
    known = [recent.last_failing_ms, (past or {}).get("last_failing_ms")]
    times = [int(at) for at in known if at is not None]
    if not times:
        causes = document["causes"]
        times = [int(document["onset_ms"]), *(int(cause["until_ms"]) for cause in causes)]
    return max(times)


def _mergers(document: Document, past: Document | None) -> list[str]:
    """Say what it took in, or what it came of, since the past."""
    old = past or {}
    said = [
        f"absorbed {name}" for name in document["absorbed"] if name not in old.get("absorbed", ())
    ]
    origin = document["split_from"]
    if origin is not None and origin != old.get("split_from"):
        said.append(f"split from {origin}")
    return said


def _entered(
    document: Document, judged: _Judged, history: Sequence[Mapping[str, Any]], now_ms: int
) -> dict[str, Any]:
    """Return the document in another state."""
    entered = dict(document) | {
        "state": judged.state,
        "state_since_ms": _no_earlier(history, now_ms),
        "merged_into": None,
    }
    entered["closed_ms"] = entered["state_since_ms"] if judged.state == CLOSED else None
    entered["history"] = _appended(history, entered, judged.reason, now_ms)
    return entered


def _stayed(document: Document, past: Document) -> dict[str, Any]:
    kept = ("state", "state_since_ms", "closed_ms", "merged_into", "history")
    return dict(document) | {name: past[name] for name in kept}


def _appended(
    history: Sequence[Mapping[str, Any]], document: Document, reason: str, now_ms: int
) -> list[dict[str, Any]]:
    """Add an entry to a history, which forgets what is in the middle when it is full."""
    entry = {
        "at_ms": _no_earlier(history, now_ms),
        "state": document["state"],
        "trace_count": len(document["trace_ids"]),
        "reason": reason,
    }
    entries = [*map(dict, history), entry]
    return entries if len(entries) <= HISTORY_MAX else [entries[0], *entries[1 - HISTORY_MAX :]]


def _no_earlier(history: Sequence[Mapping[str, Any]], now_ms: int) -> int:
    """Return the time, or that of the last entry where the clock was set back."""
    return max([now_ms, *(int(entry["at_ms"]) for entry in history[-1:])])
