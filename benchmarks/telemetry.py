"""How quickly spans become facts, step by step, on one core.

    python -m benchmarks.telemetry [--traces 10000] [--repeat 3]

Traces of 20 spans in batches of 20,000, with 12 attributes a span and a few shared resources: 1 in
50 traces fails, and every trace reads and writes keys. CPU seconds, the best of some runs.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

import pyarrow as pa

from graphmind.settings import Settings
from graphmind.telemetry.assembly import assemble
from graphmind.telemetry.derive import derive_assembled
from graphmind.telemetry.rejections import Rejections
from graphmind.telemetry.resolve import resolve
from graphmind.telemetry.sift import sift
from graphmind.telemetry.spans import STATUS_ERROR, spans_from_rows

MS = 1_000_000
EPOCH_NS = 1_700_000_000_000 * MS

STEPS = (
    # name, row of the parent in this table, kind of attributes
    ("AgentRouter", None, "plain"),
    ("TaskPreprocessor", 0, "plain"),
    ("Vectorizer", 1, "plain"),
    ("GET", 1, "key"),
    ("SET", 1, "key"),
    ("ModelExecutor", 0, "plain"),
    ("LLMAdapter", 5, "plain"),
    ("InferenceRPC", 6, "model"),
    ("search", 5, "tool"),
    ("lookup", 5, "tool"),
    ("SpecialistStep", 5, "plain"),
    ("LLMAdapter", 10, "plain"),
    ("InferenceRPC", 11, "model"),
    ("GET", 10, "key"),
    ("MemoryWriter", 0, "plain"),
    ("SET", 14, "key"),
    ("ResultValidator", 0, "plain"),
    ("CallbackSender", 0, "plain"),
    ("WebhookDeliver", 17, "plain"),
    ("ErrorHandler", 0, "plain"),
)
FAILING_PATH = (0, 5, 6, 7)


def spans(traces: int, seed: int = 1) -> list[pa.RecordBatch]:
    """Draw batches of SPANS."""
    return [
        spans_from_rows([row for t in part for row in spans_of(t, Random(seed * 7919 + t))])
        for part in (range(first, min(first + 1_000, traces)) for first in range(0, traces, 1_000))
    ]


def spans_of(trace: int, random: Random) -> Iterator[dict[str, Any]]:
    for step, (name, parent, kind) in enumerate(STEPS):
        failed = trace % 50 == 0 and step in FAILING_PATH
        start_ns = EPOCH_NS + (trace * 50 + step * 40) * MS
        yield {
            "trace_id": f"{trace + 1:032x}",
            "span_id": f"{trace * len(STEPS) + step + 1:016x}",
            "parent_span_id": None if parent is None else f"{trace * len(STEPS) + parent + 1:016x}",
            "name": name,
            "start_ns": start_ns,
            "end_ns": start_ns + random.randint(1, 30) * MS if step else start_ns + 900 * MS,
            "status": STATUS_ERROR if failed else 0,
            "scope": "agent-platform",
            "resource": {"service.name": f"service-{step % 6}", "cloud.region": "eu-west-1"},
            "attributes": attributes(trace, step, kind, random)
            | ({"error.type": "timeout"} if failed else {}),
        }


def attributes(trace: int, step: int, kind: str, random: Random) -> dict[str, str]:
    """Twelve a span: eight of every span, four that tell what kind of step it is."""
    special = {
        "plain": {"note.a": "-", "note.b": "-", "note.c": "-", "note.d": str(step)},
        "model": {
            "gen_ai.request.model": "planner",
            "gen_ai.response.model": f"planner-v{trace % 7}",
            "gen_ai.usage.input_tokens": str(random.randint(1, 4000)),
            "gen_ai.operation.name": "chat",
        },
        "key": {
            "db.system.name": "redis",
            "server.address": "kv-1",
            "graphmind.kv.key": f"user:{random.randrange(3000)}",
            "db.operation.name": STEPS[step][0],
        },
        "tool": {
            "gen_ai.tool.name": STEPS[step][0],
            "gen_ai.tool.call.id": f"{random.getrandbits(64):x}",
            "http.route": "/search",
            "http.response.status_code": "200",
        },
    }
    return {
        "gen_ai.agent.name": f"agent-{trace % 10 + step // 5}",
        "graphmind.task.name": f"task-{trace % 12}",
        "graphmind.task.id": f"job-{trace}",
        "thread.id": str(trace % 64),
        "thread.name": "worker",
        "request.sequence": str(trace * len(STEPS) + step),
        "deployment.ring": "general",
        "tenant": f"tenant-{trace % 40}",
    } | special[kind]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--traces", type=int, default=10_000)
    parser.add_argument("--repeat", type=int, default=3, help="the best of so many runs counts")
    given = parser.parse_args(argv)
    raw = spans(given.traces)
    count = sum(batch.num_rows for batch in raw)
    resolved = pa.Table.from_batches([resolve(batch) for batch in raw])
    assembled = assemble(resolved)
    steps: dict[str, Callable[[], object]] = {
        "sift": lambda: [
            sift(batch, Rejections(), now_ns=2 * EPOCH_NS, future_s=0) for batch in raw
        ],
        "resolve": lambda: [resolve(batch) for batch in raw],
        "assemble": lambda: assemble(resolved),
        "derive_assembled": lambda: derive_assembled(assembled, Settings()),
    }
    print(f"{count:,} spans, {given.traces:,} traces")
    whole_s = 0.0
    for name, step in steps.items():
        seconds = min(cpu_s(step) for _ in range(given.repeat))
        whole_s += seconds
        print(f"{name:<18}{seconds:8.3f} s{count / seconds:14,.0f} spans/s")
    print(f"{'all':<18}{whole_s:8.3f} s{count / whole_s:14,.0f} spans/s")
    return 0


def cpu_s(step: Callable[[], object]) -> float:
    began = time.process_time()
    step()
    return time.process_time() - began


if __name__ == "__main__":
    sys.exit(main())
