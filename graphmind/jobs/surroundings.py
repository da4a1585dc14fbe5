"""The facts around some traces: of everything that ran while they did."""

import pyarrow as pa
import pyarrow.compute as pc

from graphmind.archive.port import Archive, Selection
from graphmind.jobs.analyze import with_lineage
from graphmind.jobs.settle import HOUR_NS
from graphmind.telemetry.facts import Facts


def facts_around(archive: Archive, trace_ids: pa.Array) -> Facts:
    """Return the facts, with lineage, of all traces that began while the given ones did.

    At least an hour of them: a few failing traces within a second need healthy ones beside them.
    Empty where the archive has facts of none of the traces.
    """
    starts = archive.facts(Selection(trace_ids=trace_ids)).traces["start_ns"]
    first, last = pc.min(starts).as_py(), pc.max(starts).as_py()
    if first is None:
        return archive.facts(Selection(trace_ids=pa.array([], pa.string())))
    margin = max(0, HOUR_NS - (last - first)) // 2
    around = Selection(from_ns=first - margin, until_ns=last + margin + 1)
    return with_lineage(archive.facts(around))
