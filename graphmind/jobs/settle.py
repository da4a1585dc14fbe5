"""Facts for the traces that gained spans: assembled, compared with their peers, stored."""

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from graphmind.archive.port import Archive, Selection
from graphmind.settings import Settings
from graphmind.telemetry.derive import derive
from graphmind.telemetry.rejections import Rejections

HOUR_NS: Final = 3_600_000_000_000
SPANS_MAX: Final = 4_000_000
"""Spans derived at once: bounds memory at about 3 GB (chosen)."""


def settle(archive: Archive, settings: Settings, rejected: Rejections) -> int:
    """Derive the facts of every trace in the hours that gained spans; return how many.

    Whole hours, so that what is normal does not depend on how a load was split.
    """
    unsettled = archive.unsettled()
    if not len(unsettled):
        return 0
    as_of = archive.latest()
    settled = 0
    for spans in archive.span_batches(_hours(archive, unsettled), SPANS_MAX):
        facts = derive(spans, settings, rejected)
        archive.store_facts(facts, as_of=as_of)
        settled += facts.traces.num_rows
    return settled


def _hours(archive: Archive, trace_ids: pa.Array) -> Selection:
    starts = archive.spans(Selection(trace_ids=trace_ids)).column("start_ns")
    first, last = pc.min(starts).as_py(), pc.max(starts).as_py()
    if first is None:
        return Selection(trace_ids=trace_ids)
    return Selection(from_ns=first // HOUR_NS * HOUR_NS, until_ns=(last // HOUR_NS + 1) * HOUR_NS)
