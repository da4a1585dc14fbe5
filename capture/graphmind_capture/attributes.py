"""Attribute names written on spans, as graphmind's resolver table reads them."""

from typing import Final

AGENT: Final = "gen_ai.agent.name"
REGION: Final = "cloud.region"
TASK_ID: Final = "graphmind.task.id"
TASK: Final = "graphmind.task.name"
COPIED: Final = (AGENT, REGION, TASK_ID, TASK)
"""What baggage hands to children; nothing else is taken from it."""

KEY: Final = "graphmind.kv.key"
OP: Final = "graphmind.kv.op"
KEYS: Final = "graphmind.kv.keys"
OPS: Final = "graphmind.kv.ops"
"""Keys of a command or pipeline that names several; spread over child spans before export."""
KEYS_OMITTED: Final = "graphmind.kv.keys_omitted"

COLLAPSED: Final = "collapsed"
FOLDED_COUNT: Final = "graphmind.folded.count"
FOLDED_DURATION: Final = "graphmind.folded.duration_ms"

START_MARKER: Final = "graphmind.start_marker"
PROBABILITY: Final = "graphmind.sample.probability"

MODEL_VERSION: Final = (
    "graphmind.model.version",
    "gen_ai.response.model",
    "llm.response.model_name",
    "litellm.provider.model",
    "gen_ai.request.model",
    "llm.request.model_name",
    "llm.model_name",
    "embedding.model_name",
)
"""Names that tell a model's version, best first; a span with one of them calls a model."""
MODULE: Final = (
    "graphmind.module",
    "code.function.name",
    "gen_ai.tool.name",
    "gen_ai.operation.name",
)
