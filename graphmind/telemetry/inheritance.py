"""What a span does not say itself: from its ancestors, from its siblings, from other traces."""

import pyarrow as pa
import pyarrow.compute as pc

from graphmind.telemetry.attempts import fallbacks, retries
from graphmind.telemetry.handoffs import handed_from
from graphmind.telemetry.models import answering_models
from graphmind.telemetry.spans import STATUS_ERROR
from graphmind.telemetry.tree import Ints, nearest

_INHERITED = ("agent", "region", "task_id")


def filled(spans: pa.Table, parent: Ints) -> dict[str, pa.ChunkedArray]:
    """Fill what a span does not say itself from its nearest ancestor that does."""
    own = {name: spans.column(name) for name in _INHERITED}
    own["agent"] = pc.coalesce(own["agent"], _shared_candidates(spans))
    own["agent"] = _qualify(own["agent"], spans.column("namespace"))
    columns = {}
    for name, column in own.items():
        rows = nearest(parent, pc.is_valid(column).to_numpy())
        columns[name] = column.take(pa.array(rows, mask=rows < 0))
    columns["agent"] = pc.coalesce(columns["agent"], spans.column("agent_fallback"))
    columns["agent_named"] = pc.is_valid(columns["agent"])
    columns["agent"] = pc.coalesce(columns["agent"], spans.column("service"))
    columns["kv_key"] = _qualify(spans.column("kv_key"), spans.column("kv_store"))
    columns["model_requested"], columns["model_version"] = answering_models(spans)
    return columns


def derived(
    spans: pa.Table, inherited: dict[str, pa.ChunkedArray], parent: Ints, start: Ints
) -> dict[str, pa.ChunkedArray]:
    """Fill retries, fallbacks and hand-offs that no attribute states from the tree.

    ``inherited`` holds the columns that ``filled`` returns.
    """
    failed = spans.column("status").to_numpy() == STATUS_ERROR
    count = retries(spans, failed, parent, start)
    stated = spans.column("fallback")
    agent, named = inherited["agent"], inherited["agent_named"].to_numpy()
    giver = handed_from(spans, agent, named, parent)
    giver = pa.array(giver, mask=giver < 0)
    taker = pc.if_else(giver.is_valid(), agent, None)
    return {
        "retry_count": pc.coalesce(spans["retry_count"], pa.array(count, mask=count == 0)),
        "fallback": pc.coalesce(stated, pa.array(fallbacks(spans, failed, parent, start))),
        "handoff_from": pc.coalesce(spans["handoff_from"], agent.take(giver)),
        "handoff_to": pc.coalesce(spans["handoff_to"], taker),
    }


def _shared_candidates(spans: pa.Table) -> pa.ChunkedArray:
    """Keep a UUID-shaped agent id only if two traces share it; else it names a run."""
    candidate = spans.column("agent_candidate")
    if candidate.null_count == len(candidate):
        return candidate
    pairs = spans.select(["agent_candidate", "trace_id"]).group_by(["agent_candidate", "trace_id"])
    traces = pairs.aggregate([]).group_by("agent_candidate").aggregate([([], "count_all")])
    shared = traces.filter(pc.greater_equal(traces.column("count_all"), 2)).column(
        "agent_candidate"
    )
    return pc.if_else(pc.is_in(candidate, value_set=shared.combine_chunks()), candidate, None)


def _qualify(names: pa.ChunkedArray, spaces: pa.ChunkedArray) -> pa.ChunkedArray:
    """Write `space/name` for names that occur in several spaces, so that they stay apart."""
    if pc.count_distinct(spaces).as_py() < 2:
        return names
    pairs = pa.table({"name": names, "space": spaces}).group_by(["name", "space"]).aggregate([])
    pairs = pairs.filter(pc.and_(pc.is_valid(pairs["name"]), pc.is_valid(pairs["space"])))
    counts = pairs.group_by("name").aggregate([([], "count_all")])
    shared = counts.filter(pc.greater_equal(counts["count_all"], 2)).column("name")
    if not len(shared):
        return names
    ambiguous = pc.is_in(names, value_set=shared.combine_chunks())
    qualified = pc.coalesce(pc.binary_join_element_wise(spaces, names, "/"), names)
    return pc.if_else(ambiguous, qualified, names)
