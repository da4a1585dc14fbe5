"""Log records and metric samples into the archive, and what they say about traces."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from graphmind.archive.port import Archive
from graphmind.archive.signals import Between, Kept, Signals
from graphmind.settings import Settings
from graphmind.telemetry.facts import Facts
from graphmind.telemetry.lines import complete_codes, lines, sift_logs
from graphmind.telemetry.logs import LOGS
from graphmind.telemetry.patterns import Patterns
from graphmind.telemetry.rejections import Rejections
from graphmind.telemetry.resolve import OTHER_ERROR
from graphmind.telemetry.resolver_table import Table
from graphmind.telemetry.spans import joined
from graphmind.telemetry.triggers import WITHIN_NS, metric_symptoms, points, with_symptoms

KIND: Final = "log_patterns"
"""The kind of document under which the archive keeps the state of the patterns."""
_ID: Final = "miner"
SECOND_NS: Final = 1_000_000_000
_MASK: Final = re.compile(r"<(?:\*|[A-Z]+)>")
LATE_NS: Final = 60 * SECOND_NS
"""How long after its span a line about it may be written (chosen)."""


def open_patterns(archive: Archive) -> Patterns:
    """Take up the patterns where the last process left them."""
    return Patterns.of(archive.documents(KIND).get(_ID))


def load_signals(
    batches: Sequence[pa.RecordBatch],
    archive: Archive,
    settings: Settings,
    *,
    table: Table,
    patterns: Patterns,
    rejected: Rejections,
    now_ns: int,
) -> Kept:
    """Store batches of one schema, LOGS or SAMPLES, by one commit; durable when this returns.

    Where lines bring a new pattern, or widen one, the state of ``patterns`` is stored before them,
    so that no line has a pattern that a restart would not know.
    """
    if not batches:
        return Kept(new=0, duplicate=0)
    batch = joined(batches)
    if not batch.schema.equals(LOGS):
        latest_ns = now_ns + int(settings.future_s * SECOND_NS)
        found = points(batch, rejected, table, latest_ns=latest_ns)
        return archive.signals.append_points([found])
    sound = sift_logs(batch, rejected, now_ns=now_ns, future_s=settings.future_s)
    mined = patterns.mine(lines(sound, table), now_ns)
    if patterns.changed:
        archive.replace_documents(KIND, {_ID: patterns.document()})
        patterns.changed = False
    return archive.signals.append_lines([mined])


def with_logged_codes(spans: pa.Table, signals: Signals) -> pa.Table:
    """Give failed spans (RESOLVED) that name no error the code of what was logged within them.

    OpenTelemetry writes exceptions to logs now, not on spans.
    """
    unnamed = spans.filter(pc.fill_null(pc.equal(spans["error_code"], OTHER_ERROR), False))
    if not unnamed.num_rows:
        return spans
    ids = pc.unique(unnamed["trace_id"])
    when = _around(unnamed["start_ns"], pc.coalesce(unnamed["end_ns"], unnamed["start_ns"]))
    return complete_codes(spans, signals.lines(when, trace_ids=ids))


def with_metric_symptoms(facts: Facts, signals: Signals, settings: Settings) -> Facts:
    """Let the traces show a symptom that exemplars of a fired trigger name."""
    traces = facts.traces
    if not traces.num_rows:
        return facts
    when = _around(traces["start_ns"], pc.add(traces["start_ns"], traces["duration_ns"]))
    named = signals.points(when, trace_ids=pc.unique(traces["trace_id"]))
    if not named.num_rows:
        return facts
    found = signals.points(when, names=pc.unique(named["name"]).to_pylist())
    here = pc.is_in(found["trace_id"], value_set=pc.unique(traces["trace_id"]))
    own = found.filter(pc.or_(pc.is_null(found["trace_id"]), here))
    return with_symptoms(facts, metric_symptoms(own, settings))


def patterns_of(signals: Signals, traces: pa.Table) -> pa.Table:
    """Return which patterns the traces (rows of TRACES) logged (schema LOGGED), by trace, pattern.

    Patterns are evidence, not candidates for a cause: a warning before a failure is its first sign
    more often than what it is due to.
    """
    when = _around(traces["start_ns"], pc.add(traces["start_ns"], traces["duration_ns"]))
    return signals.logged(when, pc.unique(traces["trace_id"]))


def _around(starts: Any, ends: Any) -> Between:
    """Return the time in which lines and points about some spans lie."""
    first, last = pc.min(starts).as_py(), pc.max(ends).as_py()
    if first is None or last is None:
        return Between()
    return Between(from_ns=first - WITHIN_NS, until_ns=last + LATE_NS + 1)


def texts_by_trace(found: pa.Table) -> Mapping[str, list[str]]:
    """Return the words of the patterns that each trace logged; ``found`` is of ``patterns_of``."""
    texts: dict[str, list[str]] = {}
    for row in found.select(["trace_id", "pattern"]).to_pylist():
        texts.setdefault(row["trace_id"], []).append(_MASK.sub(" ", row["pattern"]))
    return texts
