"""Facts for the traces that gained spans: assembled, compared with their peers, stored."""

from collections.abc import Iterator
from typing import Final

import pyarrow.compute as pc

from graphmind.archive.port import Archive, Selection
from graphmind.jobs.signals import with_logged_codes, with_metric_symptoms
from graphmind.settings import Settings
from graphmind.telemetry.derive import derive
from graphmind.telemetry.rejections import Rejections

HOUR_NS: Final = 3_600_000_000_000
SPANS_MAX: Final = 4_000_000
"""Spans derived at once: bounds memory at about 3 GB (chosen)."""


def settle(archive: Archive, settings: Settings, rejected: Rejections) -> int:
    """Derive the facts of every trace in the hours that gained spans; return how many.

    Whole hours, from the first to the last that gained: what is normal is measured among all
    traces that began in them, however their spans were split over loads.
    """
    as_of = archive.latest()
    settled = 0
    for selection in _gained(archive):
        for spans in archive.span_batches(selection, SPANS_MAX):
            spans = with_logged_codes(spans, archive.signals)  # noqa: PLW2901 - completed
            facts = derive(spans, settings, rejected)
            facts = with_metric_symptoms(facts, archive.signals, settings)
            archive.store_facts(facts, as_of=as_of)
            settled += facts.traces.num_rows
    return settled


def _gained(archive: Archive) -> Iterator[Selection]:
    """Select the hours in which unsettled traces began, and the traces that state no time.

    The latter have no facts: they are counted as rejected each time, until a span says when.
    """
    unsettled = archive.starts(Selection(trace_ids=archive.unsettled()))
    starts = unsettled["start_ns"]
    timeless = unsettled.filter(pc.is_null(starts))["trace_id"].combine_chunks()
    if len(timeless):
        yield Selection(trace_ids=timeless)
    first, last = pc.min(starts).as_py(), pc.max(starts).as_py()
    if first is not None:
        hours = first // HOUR_NS, last // HOUR_NS + 1
        yield Selection(from_ns=hours[0] * HOUR_NS, until_ns=hours[1] * HOUR_NS)
