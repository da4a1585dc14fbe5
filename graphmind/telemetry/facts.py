"""The schemas of what graphmind derives from spans. Columns, one meaning each.

Ids are text, times epoch nanoseconds. ``RESOLVED`` is stored span by span; the others are derived
from it and replaced whenever a trace gains spans.
"""

from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from graphmind.telemetry.spans import ATTRIBUTES, SPANS

RESOLVED_TEXT: Final = (
    "service",  # service.name
    "namespace",  # qualifies agents whose name two namespaces share
    "agent",  # own agent, not yet inherited
    "agent_candidate",  # a UUID-shaped gen_ai.agent.id: an agent only if seen in two traces
    "agent_fallback",  # baggage-copied value
    "agent_version",
    "instance",
    "model_version",  # `model@version`, or the model that answered
    "model_requested",
    "provider",
    "prompt_version",
    "tool",
    "arguments",  # digest of a tool call's arguments
    "module",
    "region",
    "endpoint",
    "kv_key",
    "kv_op",  # read, write or both
    "kv_store",  # qualifies keys that two stores share
    "task",
    "task_id",  # identifies one run or job, not a kind of task
    "conversation",
    "error_code",
    "handoff_from",
    "handoff_to",
    "result",  # ok or wrong, where the span states a verdict on the result
)
RESOLVED: Final = pa.schema(
    [SPANS.field(name) for name in SPANS.names if name not in ("resource", "attributes", "events")]
    + [pa.field(name, pa.string()) for name in RESOLVED_TEXT]
    + [
        pa.field("retry_count", pa.int32()),
        pa.field("fallback", pa.bool_()),
        pa.field("recovery", pa.bool_()),
        # A score of the result, higher is better.
        pa.field("quality", pa.float64()),
        # Probability with which the trace was kept by a sampler; null when not sampled.
        pa.field("sample_probability", pa.float64()),
        # When the last exception event was recorded: a handler may run before the span ends.
        pa.field("exception_ns", pa.int64()),
        pa.field("attributes", ATTRIBUTES),  # those no resolver row used
    ]
)

ASSEMBLED: Final = pa.schema(
    [
        *(field for field in RESOLVED if field.name != "attributes"),
        # Row of the parent in this table, -1 for a root or an orphan.
        pa.field("parent_row", pa.int32()),
        pa.field("depth", pa.int32()),
        pa.field("children", pa.int32()),
        # Time not covered by any child.
        pa.field("self_ns", pa.int64()),
        # 0..T-1, the row of the trace in TRACES.
        pa.field("trace_row", pa.int32()),
        # The parent is named but never came.
        pa.field("orphan", pa.bool_()),
        # The agent is stated on the span or an ancestor, not taken from the service's name.
        pa.field("agent_named", pa.bool_()),
    ]
)
"""RESOLVED without its unused attributes, sorted by (trace start, trace_id, start_ns, depth,
span_id); `agent`, `region` and `task_id` inherited, retries, fallbacks and hand-offs derived from
the tree where no attribute states them, `start_ns` filled and corrected for skew. `end_ns` stays
null for a span not ended."""

TRACES: Final = pa.schema(
    [
        pa.field("trace_id", pa.string()),
        pa.field("task", pa.string()),  # kind of task: the stratum
        pa.field("unit", pa.string()),  # job this trace is one attempt of
        pa.field("start_ns", pa.int64()),
        pa.field("duration_ns", pa.int64()),  # to the last span seen, if not ended
        pa.field("root_span_id", pa.string()),
        pa.field("root_name", pa.string()),
        pa.field("root_module", pa.string()),
        pa.field("span_count", pa.int32()),
        pa.field("error_span_count", pa.int32()),
        pa.field("complete", pa.bool_()),  # one root, no orphan, all ended
        pa.field("evaluated", pa.bool_()),  # somebody judged the result
        pa.field("weight", pa.float64()),  # 1 / sampling probability
        pa.field("outcome", pa.string()),  # ok failed slow hung short wrong incomplete
        pa.field("error_code", pa.string()),  # of the span where it went wrong
        pa.field("fault_span_id", pa.string()),  # deepest span where it went wrong
        pa.field("fault_module", pa.string()),
        pa.field("fault_path", pa.string()),  # names from the root to that span, joined by ` > `
        pa.field("recovered", pa.bool_()),
        pa.field("fallback_applied", pa.bool_()),
        pa.field("continues", pa.list_(pa.string())),  # trace ids this one links to
    ]
)

CHANNELS: Final = ("error", "latency", "loop", "quality")
SYMPTOMS: Final = pa.schema(
    [
        pa.field("trace_id", pa.string()),
        pa.field("kind", pa.string()),  # hang error storm wrong slow short fork loop missing metric
        pa.field("channel", pa.string()),  # one of CHANNELS; null for missing
        pa.field("began_ns", pa.int64()),  # when it went wrong
        pa.field("span_id", pa.string()),
        pa.field("module", pa.string()),
        pa.field("code", pa.string()),  # error code or what was exceeded
    ]
)

ITEM_KINDS: Final = (
    "agent",
    "service",
    "instance",
    "model_version",
    "model_requested",
    "prompt_version",
    "tool",
    "module",
    "region",
    "endpoint",
    "kv_key",
    "written_by_agent",
    "written_by_trace",
    "fed_by_agent",  # wrote a value that reached the trace, through other traces or directly
    "fed_by_trace",
    "task",
)
ITEMS: Final = pa.schema(
    [
        pa.field("trace_id", pa.string()),
        pa.field("kind", pa.string()),
        pa.field("name", pa.string()),
        pa.field("first_ns", pa.int64()),  # first touch
    ]
)

ACCESSES: Final = pa.schema(
    [
        pa.field("trace_id", pa.string()),
        pa.field("key", pa.string()),
        pa.field("op", pa.string()),  # read or write; a command that is both has two rows
        pa.field("at_ns", pa.int64()),  # a write takes effect at its end, a read at its start
        pa.field("agent", pa.string()),
    ]
)


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What was derived from the spans of some traces; rows sorted by trace start, then id.

    Items hold what the traces' own spans touched; ``items.inherited`` adds who wrote the values
    they read, over the accesses of a whole window.
    """

    traces: pa.Table
    symptoms: pa.Table
    items: pa.Table
    accesses: pa.Table
