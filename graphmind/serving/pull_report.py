"""What a pull did, how a source is doing, and the one line of log that a pull is."""

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from graphmind.sources import PullWindow
from graphmind.telemetry.rejections import Rejections

_SECOND_NS: Final = 10**9
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class PullReport:
    """What one pull did."""

    run_id: str
    window: PullWindow
    rows: Mapping[str, int]
    """Offered and stored, by signal: spans, logs, samples, nodes."""
    rejected: Rejections
    seconds: float
    error: str
    """Why the cursor did not move; empty if it did."""
    next_due_s: float
    """Pause until the next pull."""


@dataclass(kw_only=True)
class PullState:
    """How a source is doing, for metrics and readiness."""

    name: str
    kind: str
    cursor_ns: int | None = None
    last_success_ns: int | None = None
    error: str = ""
    """Of the last pull; empty if it went well."""
    failures: int = 0
    """In a row."""
    pulls: int = 0
    failed: int = 0
    rows: Counter[str] = field(default_factory=Counter)
    rejected: Rejections = field(default_factory=Rejections)

    def lag_s(self, now_ns: int) -> float | None:
        """Return how far behind now the source was read; None before the first pull."""
        return None if self.cursor_ns is None else max(now_ns - self.cursor_ns, 0) / _SECOND_NS


def tell(report: PullReport, state: PullState, now_ns: int) -> None:
    """Log a pull as one line."""
    counts = " ".join(f"{name}={count}" for name, count in sorted(report.rows.items()))
    told = counts + " " if counts else ""
    rejected = sum(report.rejected.counts.values())
    if report.error:
        _log.warning(
            "pull_failed source=%s kind=%s %srejected=%d seconds=%.3f again_in_s=%.1f run_id=%s "
            "reason=%r",
            state.name, state.kind, told, rejected, report.seconds, report.next_due_s,
            report.run_id, report.error,
        )  # fmt: skip
        return
    reasons = ",".join(sorted(report.rejected.counts))
    _log.info(
        "pull source=%s kind=%s %srejected=%d%s lag_s=%.1f seconds=%.3f run_id=%s",
        state.name, state.kind, told, rejected, f" reasons={reasons!r}" if reasons else "",
        state.lag_s(now_ns) or 0.0, report.seconds, report.run_id,
    )  # fmt: skip
