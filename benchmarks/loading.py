"""What loading OTLP JSON lines costs beside bare parsing: ``python -m benchmarks loading [SPANS]``.

All rates are of one run on the same bytes, in CPU seconds and in seconds. Reading should reach
0.35 of ``orjson.loads``, a whole load (read, sifted, resolved, durable in the archive) 0.2.
"""

import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import orjson
from graphmind_loaders import read_spans

from graphmind.archive.duck import DuckArchive
from graphmind.jobs.load import load
from graphmind.settings import Settings
from graphmind.telemetry.rejections import Rejections
from graphmind.telemetry.resolver_table import default_table

SPANS = 200_000
SPANS_PER_LINE = 50
SPANS_PER_SCOPE = 25
REPEATS = 3
SEED = 1


def write(path: Path, spans: int) -> int:
    """Write a file as the Collector's file exporter does; return the number of spans in it."""
    chance = random.Random(SEED)
    lines = spans // SPANS_PER_LINE
    with path.open("wb") as file:
        for line in range(lines):
            groups = [_group(chance, line) for _ in range(SPANS_PER_LINE // SPANS_PER_SCOPE)]
            file.write(orjson.dumps({"resourceSpans": groups}) + b"\n")
    return lines * SPANS_PER_LINE


def _group(chance: random.Random, line: int) -> dict[str, object]:
    trace_id = f"{chance.getrandbits(128):032x}"
    spans = [_span(chance, trace_id, line, number) for number in range(SPANS_PER_SCOPE)]
    resource = {
        "service.name": f"service-{chance.randrange(20)}",
        "service.instance.id": f"instance-{chance.randrange(60)}",
        "cloud.region": "eu-west-1",
    }
    return {
        "resource": {"attributes": _attributes(resource)},
        "scopeSpans": [{"scope": {"name": "agents", "version": "1"}, "spans": spans}],
    }


def _span(chance: random.Random, trace_id: str, line: int, number: int) -> dict[str, object]:
    start_ns = 1_767_225_600_000_000_000 + line * 10**7 + chance.randrange(10**6)
    attributes: dict[str, str | int] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.agent.name": f"agent-{chance.randrange(40)}",
        "gen_ai.request.model": "model-a",
        "gen_ai.response.model": "model-a-2026-01-01",
        "gen_ai.usage.input_tokens": chance.randrange(5000),
        "gen_ai.usage.output_tokens": chance.randrange(5000),
        "server.address": "models.example",
        "graphmind.kv.key": f"session:{chance.randrange(10_000)}",
    }
    span: dict[str, object] = {
        "traceId": trace_id,
        "spanId": f"{chance.getrandbits(64):016x}",
        "parentSpanId": f"{chance.getrandbits(64):016x}" if number else "",
        "flags": 256,
        "name": f"chat step-{number}",
        "kind": 3,
        "startTimeUnixNano": str(start_ns),
        "endTimeUnixNano": str(start_ns + chance.randrange(10**9)),
        "attributes": _attributes(attributes),
        "status": {},
    }
    return span | _failure(start_ns) if chance.random() < 0.03 else span


def _failure(start_ns: int) -> dict[str, object]:
    event = {
        "timeUnixNano": str(start_ns),
        "name": "exception",
        "attributes": _attributes({"exception.type": "TimeoutError"}),
    }
    return {"events": [event], "status": {"code": 2, "message": "timed out"}}


def _attributes(values: dict[str, str | int] | dict[str, str]) -> list[dict[str, object]]:
    return [
        {
            "key": key,
            "value": {"stringValue": value} if isinstance(value, str) else {"intValue": str(value)},
        }
        for key, value in values.items()
    ]


def parse(path: Path) -> None:
    """Parse each line and keep nothing: the bare rate."""
    with path.open("rb") as file:
        for line in file:
            orjson.loads(line)


def read(path: Path) -> None:
    """Read the file into batches of spans."""
    for _ in read_spans([path], Rejections()):
        pass


def load_all(path: Path) -> None:
    """Load the file into a new archive on disk, durably."""
    settings = Settings()
    with tempfile.TemporaryDirectory() as folder, DuckArchive(Path(folder)) as archive:
        rejected = Rejections()
        load(
            read_spans([path], rejected),
            archive,
            settings,
            table=default_table(),
            rejected=rejected,
            now_ns=time.time_ns(),
        )


def seconds(work: Callable[[Path], None], path: Path) -> tuple[float, float]:
    """Return the fastest of a few runs, in CPU seconds of all threads and in seconds."""
    runs = [_seconds(work, path) for _ in range(REPEATS)]
    return min(cpu for cpu, _ in runs), min(wall for _, wall in runs)


def _seconds(work: Callable[[Path], None], path: Path) -> tuple[float, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    work(path)
    return time.process_time() - cpu, time.perf_counter() - wall


def main(argv: Sequence[str] = ()) -> None:
    """Print the rates and their ratios to bare parsing."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "traces.jsonl"
        written = write(path, int(argv[0]) if argv else SPANS)
        print(f"{written:,} spans, {path.stat().st_size / 1e6:.0f} MB of OTLP JSON lines")
        print(f"{'':24}{'spans/CPU s':>12}{'ratio':>8}{'spans/s':>12}{'ratio':>8}")
        bare = seconds(parse, path)
        for name, work in (("orjson.loads", parse), ("read_spans", read), ("load", load_all)):
            taken = seconds(work, path)
            cells = [
                f"{written / own:>12,.0f}{floor / own:>8.2f}"
                for own, floor in zip(taken, bare, strict=True)
            ]
            print(f"{name:24}{''.join(cells)}")


if __name__ == "__main__":
    main(sys.argv[1:])
