"""Real files of real formats load with the counts that their README or their content states."""

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from graphmind_loaders import read_spans
from graphmind_loaders.records import NOT_TRACES

from graphmind.errors import SourceError
from graphmind.telemetry.rejections import Rejections

DATA = Path(__file__).parents[3] / "shared" / "data"
FORMATS, REPLIES = DATA / "trace-formats", DATA / "server-replies"

needs_formats = pytest.mark.skipif(not FORMATS.is_dir(), reason="no ../shared/data/trace-formats")
needs_replies = pytest.mark.skipif(not REPLIES.is_dir(), reason="no ../shared/data/server-replies")

NO_TRACES = "capture-results.json"
"""A summary of a capture: names and attribute keys, no span."""

CUT = re.compile(r"attribute value cut")


def load(*paths: Path) -> tuple[dict[str, int], Rejections]:
    """Load files; return what the README counts, and what was rejected but for cut values."""
    rejected = Rejections()
    batches = list(read_spans(paths, rejected))
    counts = {
        "spans": sum(batch.num_rows for batch in batches),
        "traces": len({id_ for batch in batches for id_ in batch["trace_id"].to_pylist()}),
        "error": sum(batch["status"].to_pylist().count(2) for batch in batches),
    }
    kept = {reason: count for reason, count in rejected.counts.items() if not CUT.search(reason)}
    return counts, Rejections(counts=kept)


def table() -> Iterator[tuple[str, str]]:
    """Rows (file, content) of the README's table; patterns are left out."""
    for line in (FORMATS / "README.md").read_text().splitlines():
        found = re.fullmatch(r"\| `([^`*]+)` \| \d+ \| (.*) \|", line)
        if found:
            yield found.group(1), found.group(2)


def stated(content: str) -> dict[str, int]:
    """Read ``1 traces 4 spans 0 error``; an observation is a span, one trace is a trace."""
    words = content.replace("observations", "spans").replace("1 trace ", "1 traces ")
    return {word: int(number) for number, word in re.findall(r"(\d+) (traces|spans|error)", words)}


def files() -> list[Path]:
    return sorted(path for path in FORMATS.rglob("*") if path.name.endswith((".json", ".json.gz")))


def content_of(path: Path) -> Any:
    text = path.read_bytes()
    return json.loads(gzip.decompress(text) if path.suffix == ".gz" else text)


def count(value: Any) -> int:
    """Count the spans of any JSON: objects in lists of spans, or whatever has its own span id."""
    if isinstance(value, list):
        return sum(map(count, value))
    if not isinstance(value, dict):
        return 0
    own = {"spanContext", "operationName"} & value.keys()
    return 1 if own else sum(count(inner) for inner in value.values())


def counted() -> list[tuple[str, dict[str, int]]]:
    """Return the files whose counts the table states, with them."""
    rows = table() if FORMATS.is_dir() else ()
    return [(name, stated(content)) for name, content in rows if stated(content)]


@needs_formats
@pytest.mark.parametrize(("name", "expected"), counted())
def test_a_file_holds_what_the_table_says(name, expected):
    found, rejected = load(FORMATS / name)

    assert {word: found[word] for word in expected} == expected
    assert rejected.counts == {}


@needs_formats
def test_files_without_stated_counts_hold_the_spans_of_their_content():
    uncounted = [FORMATS / name for name, content in table() if not stated(content)]
    with_spans = [path for path in uncounted if count(content_of(path))]

    assert len(with_spans) > 10
    assert {path.name: load(path)[0]["spans"] for path in with_spans} == {
        path.name: count(content_of(path)) for path in with_spans
    }


@needs_formats
def test_logs_and_metrics_hold_no_traces():
    folder = FORMATS / "opentelemetry-proto"

    for name in ("logs.json", "metrics.json", "events.json"):
        found, rejected = load(folder / name)

        assert (found["spans"], rejected.counts) == (0, {NOT_TRACES: 1})


@needs_formats
def test_jaegers_own_otlp_files_hold_one_trace_each():
    paths = sorted((FORMATS / "jaeger" / "otlp-like-model").glob("*.json"))

    assert len(paths) == 32
    for path in paths:
        found, rejected = load(path)
        spans = [
            span
            for group in content_of(path)["resourceSpans"]
            for scope in group["scopeSpans"]
            for span in scope["spans"]
        ]

        assert (found["traces"], found["spans"], rejected.counts) == (1, len(spans), {})
        assert 1 <= len(spans) <= 5


@needs_formats
def test_every_file_is_read_but_one_without_spans():
    refused = []
    for path in files():
        try:
            load(path)
        except SourceError:
            refused.append(path.name)

    assert refused == [NO_TRACES]


@needs_formats
def test_the_whole_folder_loads_at_once():
    found, rejected = load(FORMATS)

    each = [load(path)[0]["spans"] for path in files() if path.name != NO_TRACES]
    assert found["spans"] == sum(each)
    assert rejected.counts.keys() == {NOT_TRACES, "file of an unknown kind"}


@needs_replies
@pytest.mark.parametrize("path", sorted(REPLIES.glob("spans-*.jsonl")), ids=lambda path: path.name)
def test_spans_of_instrumentations_are_read_line_by_line(path):
    lines = [json.loads(line) for line in path.read_text().splitlines()]

    found, rejected = load(path)

    assert found["spans"] == len(lines)
    assert found["traces"] == len({line["context"]["trace_id"] for line in lines})
    assert found["error"] == sum(line["status"]["status_code"] == "ERROR" for line in lines)
    assert rejected.counts == {}


@needs_replies
@pytest.mark.parametrize(
    "name",
    [
        "tempo-3-api-v1-trace.json",
        "tempo-3-api-v2-trace.json",
        "tempo-3-api-v2-trace.pb",
        "victoriatraces-jaeger-api-trace.json",
    ],
)
def test_replies_of_trace_servers_hold_the_two_spans_sent(name):
    found, rejected = load(REPLIES / name)

    assert (found["traces"], found["spans"], rejected.counts) == (1, 2, {})


@needs_replies
def test_tempo_gives_the_same_spans_as_json_and_as_protobuf():
    json_reply, protobuf_reply = (
        [
            span
            for batch in read_spans([REPLIES / f"tempo-3-api-v2-trace.{ending}"], Rejections())
            for span in batch.to_pylist()
        ]
        for ending in ("json", "pb")
    )

    assert json_reply == protobuf_reply
