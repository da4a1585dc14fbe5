"""The window of an analysis: the facts of its traces, bounded however many there are."""

from dataclasses import replace
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from graphmind.archive.port import Archive, Selection
from graphmind.jobs.settle import HOUR_NS
from graphmind.telemetry.facts import Facts
from graphmind.telemetry.items import inherited

HEALTHY_PER_FAILING: Final = 0.5
"""Healthy traces kept at least: the odds stay unbiased below 85 % failing (analysis/sample.py)."""


def read_window(
    archive: Archive, selection: Selection, traces_max: int, *, failing_ids: pa.Array | None = None
) -> Facts:
    """Return the facts of the traces selected, and who wrote the values that they read.

    Above ``traces_max`` traces all failing ones are read, and a share of the healthy ones whose
    weights say what they stand for: the cost of an analysis is bounded whatever the traffic.
    """
    failing, healthy = archive.failing_and_healthy(selection)
    room = max(traces_max - failing, HEALTHY_PER_FAILING * failing)
    share = min(1.0, room / healthy) if healthy else 1.0
    return with_lineage(archive.facts(selection, healthy_share=share), failing_ids)


def read_newest(archive: Archive, selection: Selection, traces_max: int) -> Facts:
    """Return the facts of the window as ``read_window`` does, or of its newest part.

    The part begins where half of ``traces_max`` traces fail in it: an outage of everything would
    else make each look back cost more than the one before.
    """
    since_ns = archive.failing_since(selection, max(1, traces_max // 2))
    if since_ns is not None:
        selection = replace(selection, from_ns=since_ns)
    return read_window(archive, selection, traces_max)


def read_around(archive: Archive, trace_ids: pa.Array, traces_max: int) -> Facts:
    """Return the facts of the window in which the given traces ran; see ``read_window``.

    At least an hour of it: a few failing traces within a second need healthy ones beside them.
    Empty where the archive has facts of none of the traces.
    """
    ran = archive.queries.time_of(trace_ids)
    if ran.since_ns >= ran.until_ns:
        return archive.facts(Selection(trace_ids=pa.array([], pa.string())))
    margin = max(0, HOUR_NS - (ran.until_ns - ran.since_ns)) // 2
    around = Selection(from_ns=ran.since_ns - margin, until_ns=ran.until_ns + margin)
    return read_window(archive, around, traces_max, failing_ids=trace_ids)


def with_lineage(facts: Facts, failing_ids: pa.Array | None = None) -> Facts:
    """Add who wrote the values that the traces read to what they touched.

    What lies several writes back is told for the failing traces: those given by id, else all that
    show a symptom.
    """
    if failing_ids is None:
        shown = facts.symptoms.filter(pc.is_valid(facts.symptoms["channel"]))["trace_id"]
        failing_ids = pc.unique(shown)
    items = inherited(facts.accesses, failing_ids)
    return replace(facts, items=pa.concat_tables([facts.items, items]))
