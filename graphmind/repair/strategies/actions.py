"""The actions of repair.md: the level each acts at, and those that leave nothing to undo."""

from typing import Final

from graphmind.repair.model import Level

LEVEL_OF: Final[dict[str, Level]] = {
    "reset_span": "trace",
    "reinvoke": "trace",
    "skip_step": "trace",
    "revert_state": "trace",
    "redispatch": "trace",
    "rebuild_trace": "trace",
    "mark_trace": "trace",
    "log_recovery": "trace",
    "notify": "trace",
    "quarantine_key": "key",
    "restore_key": "key",
    "restart": "agent",
    "degrade": "agent",
    "disable": "agent",
    "enable": "agent",
    "switch_model_version": "model",
    "set_traffic_share": "model",
    "reset_model_context": "model",
    "drain": "region",
    "fail_over": "region",
    "set_weight": "region",
}
"""``disable`` acts on a region too where a connector says so; its word counts for the step."""

RECORDS: Final = frozenset({"mark_trace", "log_recovery", "notify"})
"""They write down what happened and change no work: not counted as a repair of anything."""

NOTHING_TO_UNDO: Final = RECORDS | {
    "restart",  # ends as it began; what a cold restart loses is said by the impact
    "reset_model_context",  # built again from the state store
    "reset_span",  # the span is done again from its snapshot
    "reinvoke",  # done once for each task and number (S17)
    "redispatch",
    "rebuild_trace",
}
"""Actions that may run by themselves without an inverse."""

ENDS_WORK: Final = frozenset({"restart", "disable", "reset_model_context", "rebuild_trace"})
"""Actions that stop what their target is doing: without a snapshot its context is gone."""
