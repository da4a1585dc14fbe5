"""Consistent probability sampling: all services of a trace draw the same lot, from its id.

https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/
"""

from typing import Final

from opentelemetry.trace import TraceState

RANDOM_BITS: Final = 56
_DIGITS: Final = RANDOM_BITS // 4
_SPACE: Final = 1 << RANDOM_BITS
_VENDOR: Final = "ot"


def threshold_of(probability: float) -> int:
    """Return how many of the 2**56 lots are rejected. Takes above 0 and at most 1."""
    return min(_SPACE - round(probability * _SPACE), _SPACE - 1)


def probability_of(threshold: int) -> float:
    """Return the share of traces at or above a threshold."""
    return 1 - threshold / _SPACE


def lot_of(trace_id: int, state: TraceState) -> int:
    """Return the trace's lot: `rv` where the trace state gives one, else the id's last 56 bits."""
    stated = _member(state, "rv")
    if stated is not None and len(stated) == _DIGITS:
        lot = _hexadecimal(stated)
        if lot is not None:
            return lot
    return trace_id & (_SPACE - 1)


def stated_threshold(state: TraceState) -> int:
    """Return the threshold that a sampler upstream has applied, 0 where none says so."""
    text = _member(state, "th")
    threshold = _hexadecimal(text.ljust(_DIGITS, "0")) if text and len(text) <= _DIGITS else None
    return threshold or 0


def with_threshold(state: TraceState, threshold: int) -> TraceState:
    """State a threshold, keeping what else the trace state says."""
    members = [m for m in (state.get(_VENDOR) or "").split(";") if m and not m.startswith("th:")]
    text = f"{threshold:014x}".rstrip("0") or "0"
    value = ";".join([f"th:{text}", *members])
    return state.update(_VENDOR, value) if _VENDOR in state else state.add(_VENDOR, value)


def _member(state: TraceState, name: str) -> str | None:
    value = state.get(_VENDOR) if state else None
    for member in (value or "").split(";"):
        key, _, text = member.partition(":")
        if key == name:
            return text
    return None


def _hexadecimal(text: str) -> int | None:
    try:
        return int(text, 16) if text.isalnum() else None
    except ValueError:
        return None
