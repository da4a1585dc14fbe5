"""The record of each run, in the state store: what the controller reads, resets and repeats."""

from dataclasses import asdict, dataclass, field
from typing import Any, Final, Self

import orjson

from examples.agent_platform.topology import WITHIN

KEPT_S: Final = 1_800
"""Records, snapshots and contexts are kept so long (chosen: graphmind's live window)."""


def snapshot_key(task_id: str, step: str) -> str:
    """Return the key of the state as it was before a step."""
    return f"agent_state_snapshot:{task_id}:{step}"


def context_key(task_id: str) -> str:
    """Return the key of a task's context."""
    return f"agent_context:{task_id}"


@dataclass(kw_only=True)
class Run:
    """One run of a task: a trace. Steps by name, in the order in which they began."""

    trace_id: str
    task: dict[str, Any]
    region: str
    root_span_id: str
    created_ms: float
    state: str = "running"
    steps: dict[str, dict[str, Any]] = field(default_factory=dict)
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What each finished step gave, reused by those that continue the run."""
    marks: list[str] = field(default_factory=list)
    parent_trace_id: str | None = None
    continued_as: list[str] = field(default_factory=list)

    @property
    def key(self) -> str:
        """Where it is kept."""
        return f"run:{self.trace_id}"

    def begin(self, step: str) -> None:
        """Note that a step is under way."""
        before = self.steps.get(step, {})
        self.steps[step] = {
            "step": step,
            "module": step,
            "span_id": None,
            "state": "running",
            "snapshot": before.get("snapshot", False),
            "recovery": before.get("state") == "reset",
        }

    def end(self, step: str, state: str, spans: dict[str, str]) -> None:
        """Note how a step ended, and the spans of the modules within it."""
        ended = self.steps[step]
        ended["state"] = state
        ended["snapshot"] = ended["snapshot"] or step in spans
        for module, span_id in spans.items():
            if module == step:
                ended["span_id"] = span_id
            elif WITHIN.get(module) == step:
                self.steps[module] = {**ended, "step": module, "module": module}
                self.steps[module] |= {"span_id": span_id, "snapshot": False}

    def document(self) -> dict[str, Any]:
        """Return what ``GET /v1/traces/{trace_id}`` answers."""
        return {
            "trace_id": self.trace_id,
            "task_id": self.task["task_id"],
            "seq_no": self.task["seq_no"],
            "region": self.region,
            "state": self.state,
            "attempts": self.task.get("attempts", 1),
            "marks": self.marks,
            "steps": list(self.steps.values()),
            "parent_trace_id": self.parent_trace_id,
            "continued_as": self.continued_as,
        }

    def dump(self) -> bytes:
        """Return it as it is kept."""
        return orjson.dumps(asdict(self))

    @classmethod
    def parse(cls, text: bytes) -> Self:
        """Read what ``dump`` wrote."""
        return cls(**orjson.loads(text))


async def save_run(store: Any, run: Run, *, new: bool = False) -> None:
    """Keep a record; a new one is listed under its task."""
    if not new:
        await store.set(run.key, run.dump(), ex=KEPT_S)
        return
    listed = f"task_runs:{run.task['task_id']}"
    pipeline = store.pipeline(transaction=False)
    pipeline.set(run.key, run.dump(), ex=KEPT_S)
    pipeline.rpush(listed, run.trace_id)
    pipeline.expire(listed, KEPT_S)
    await pipeline.execute()


async def load_run(store: Any, trace_id: str) -> Run | None:
    """Return the record of a trace, None where none is kept."""
    text = await store.get(f"run:{trace_id}")
    return Run.parse(text) if text else None
