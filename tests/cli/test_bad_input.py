"""Bad input gets a clear answer and loses nothing else."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.running import graphmind

GOOD = {
    "resourceSpans": [
        {
            "resource": {"attributes": []},
            "scopeSpans": [
                {
                    "spans": [
                        {
                            "traceId": "0af7651916cd43dd8448eb211c80319c",
                            "spanId": "b7ad6b7169203331",
                            "name": "AgentRouter",
                            "startTimeUnixNano": "1772442000000000000",
                            "endTimeUnixNano": "1772442001000000000",
                        }
                    ]
                }
            ],
        }
    ]
}
LINE = json.dumps(GOOD).encode() + b"\n"


def one_span(**changes: object) -> bytes:
    document = json.loads(json.dumps(GOOD))
    span = document["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    span.update(changes)
    return json.dumps(document).encode() + b"\n"


def analyzed(path: Path, folder: Path) -> tuple[int, dict[str, int]]:
    answer = graphmind("analyze", path, "--data-dir", folder / "store", "--json")
    assert answer.code == 0, answer.err
    taken = answer.json["input"]
    return taken["spans"], {row["reason"]: row["count"] for row in taken["rejected"]}


def test_one_broken_line_among_good_ones_is_counted_and_the_rest_is_read(tmp_path):
    path = tmp_path / "spans.jsonl"
    path.write_bytes(one_span(spanId="00000000000000a1") + b'{"resourceSpans": [{\n' + LINE)

    spans, rejected = analyzed(path, tmp_path)

    assert (spans, sum(rejected.values())) == (2, 1)


def test_a_truncated_gzip_delivers_what_came_before_the_cut(tmp_path):
    lines = b"".join(one_span(spanId=f"{n:016x}") for n in range(1, 2000))
    packed = gzip.compress(lines)
    path = tmp_path / "spans.jsonl.gz"
    path.write_bytes(packed[: len(packed) // 2])

    spans, rejected = analyzed(path, tmp_path)

    assert 0 < spans < 1999
    assert sum(rejected.values()) >= 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"spanId": ""}, "span without a span id"),
        ({"traceId": "0" * 32}, "span without a trace id"),
        (
            {"startTimeUnixNano": "4" + "0" * 18, "endTimeUnixNano": "4" + "0" * 18},
            "span starts in the future",
        ),
        ({"endTimeUnixNano": "1772441000000000000"}, "span ends before it starts"),
    ],
)
def test_an_invalid_span_is_counted_by_its_reason(tmp_path, changes, reason):
    path = tmp_path / "spans.jsonl"
    path.write_bytes(one_span(**changes) + LINE)

    assert analyzed(path, tmp_path) == (1, {reason: 1})


def test_a_parent_cycle_is_cut_and_counted(tmp_path):
    path = tmp_path / "spans.jsonl"
    a, b = "00000000000000aa", "00000000000000bb"
    path.write_bytes(one_span(spanId=a, parentSpanId=b) + one_span(spanId=b, parentSpanId=a))

    assert analyzed(path, tmp_path) == (2, {"parent cycle cut": 1})


@pytest.mark.parametrize("content", [b"", b"hello, this is no trace\n", b"\x89PNG\r\n\x1a\n" * 9])
def test_a_file_of_another_kind_is_refused_with_what_is_accepted(tmp_path, content):
    path = tmp_path / "spans.jsonl"
    path.write_bytes(content)

    answer = graphmind("analyze", path, "--data-dir", tmp_path / "store")

    assert answer.code in (0, 3)
    assert "spans.jsonl" in answer.err or "0 spans" in answer.out


def test_a_path_that_is_not_there_is_said(tmp_path):
    answer = graphmind("analyze", tmp_path / "nowhere", "--data-dir", tmp_path / "store")

    assert answer.code == 3
    assert "nowhere" in answer.err


def test_standard_input_is_read(tmp_path):
    answer = graphmind("load", "-", "--data-dir", tmp_path / "store", "--json", stdin=LINE)

    assert (answer.code, answer.json["spans"]) == (0, 1)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_data_folder_is_said(tmp_path):
    tmp_path.chmod(0o500)

    answer = graphmind("incidents", "--data-dir", tmp_path / "store")

    assert answer.code == 4


def test_a_file_in_place_of_the_data_folder_is_said(tmp_path):
    path = tmp_path / "store"
    path.write_text("not a folder")

    answer = graphmind("incidents", "--data-dir", path)

    assert answer.code == 4
    assert str(path) in answer.err


def test_a_data_folder_that_is_owned_names_its_owner(tmp_path):
    script = (
        "import sys, time\nfrom pathlib import Path\n"
        "from graphmind.archive.duck import DuckArchive\n"
        "archive = DuckArchive(Path(sys.argv[1]))\nprint('open', flush=True)\ntime.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "open\n"
        answer = graphmind("incidents", "--data-dir", tmp_path)
        owner.kill()

    assert answer.code == 4
    assert str(owner.pid) in answer.err


def test_a_neo4j_that_is_down_is_said_with_what_to_do(tmp_path):
    answer = graphmind("incidents", "--data-dir", tmp_path, "--neo4j", "bolt://127.0.0.1:1")

    assert answer.code == 4
    assert "127.0.0.1:1" in answer.err


def test_a_setting_that_does_not_exist_is_said():
    answer = graphmind("incidents", GRAPHMIND_HANG_AFTER="10")

    assert answer.code == 2
    assert "GRAPHMIND_HANG_AFTER_S" in answer.err


def test_an_unknown_incident_and_an_unknown_question_are_said(tmp_path):
    assert graphmind("explain", "inc-0", "--data-dir", tmp_path).code == 5
    assert graphmind("ask", "nothing", "--data-dir", tmp_path).code == 5
