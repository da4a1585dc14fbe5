import gzip
import io
import json
import os
from pathlib import Path

import pytest
import zstandard
from graphmind_loaders import read_spans, sources
from graphmind_loaders.compression import CUT_OFF, chunks_of
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from graphmind.errors import SourceError
from graphmind.telemetry.rejections import Rejections


def line(name: str) -> bytes:
    span = {"traceId": "aa", "spanId": "bb", "name": name}
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode() + b"\n"


def names(paths, rejected: Rejections | None = None, **options) -> list[str]:
    batches = read_spans(paths, rejected or Rejections(), **options)
    return [name for batch in batches for name in batch["name"].to_pylist()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "two.json").write_bytes(line("two"))
    (tmp_path / "a.json").write_bytes(line("one"))
    (tmp_path / ".hidden.json").write_bytes(line("hidden"))
    return tmp_path


def test_every_source_is_found_by_its_entry_point():
    assert [source.name for source in sources()] == [
        "jaeger-json",
        "jaeger-model",
        "langfuse",
        "otel-js",
        "otel-python",
        "otlp-json",
        "otlp-proto",
        "zipkin",
    ]


def test_a_folder_is_read_in_order_of_names_without_hidden_files(folder):
    assert names([folder]) == ["one", "two"]


def test_paths_are_read_in_the_order_given(folder):
    assert names([folder / "b", folder / "a.json"]) == ["two", "one"]


def test_a_pattern_is_expanded(folder):
    assert names([f"{folder}/**/*.json"]) == ["one", "two"]


def test_a_file_named_twice_is_read_once(folder):
    assert names([folder / "a.json", folder]) == ["one", "two"]


def test_a_file_with_a_name_like_a_pattern_is_a_file(tmp_path):
    (tmp_path / "[1].json").write_bytes(line("one"))

    assert names([tmp_path / "[1].json"]) == ["one"]


def test_a_dash_is_standard_input():
    assert names(["-"], stdin=io.BytesIO(gzip.compress(line("piped")))) == ["piped"]


def test_each_file_is_announced(folder):
    seen: list[tuple[str, int, int]] = []

    names([folder], on_file=lambda *file: seen.append(file))

    assert seen == [(f"{folder}/a.json", 1, 2), (f"{folder}/b/two.json", 2, 2)]


@pytest.mark.parametrize("path", ["absent", "absent*.json", "empty"])
def test_a_path_without_files_is_refused_before_anything_is_read(tmp_path, path):
    (tmp_path / "empty").mkdir()

    with pytest.raises(SourceError, match=path.replace("*", r"\*")):
        read_spans([tmp_path / path], Rejections())


UNUSABLE = [
    (b"", "empty file"),
    (b"\n \n", "empty file"),
    (b"PK\x03\x04rest", "file of an unknown kind"),
    (b'{"name": "a project"}', "file of an unknown kind"),
    (line("x").decode().encode("utf-16"), "UTF-16 text; save it as UTF-8"),
    (line("x").decode().encode("utf-16-le"), "UTF-16 text; save it as UTF-8"),
]


@pytest.mark.parametrize(("content", "reason"), UNUSABLE)
def test_an_unusable_file_in_a_folder_is_counted_and_the_others_are_read(folder, content, reason):
    (folder / "0").write_bytes(content)
    rejected = Rejections()

    assert names([folder], rejected) == ["one", "two"]
    assert rejected.rows() == [{"reason": reason, "count": 1, "samples": [f"{folder}/0"]}]


@pytest.mark.parametrize(("content", "reason"), UNUSABLE)
def test_an_unusable_file_alone_is_refused_with_what_is_accepted(tmp_path, content, reason):
    (tmp_path / "a").write_bytes(content)

    with pytest.raises(SourceError, match=f"a: {reason}.*Accepted are .*otlp-json"):
        names([tmp_path / "a"])


def test_a_file_that_cannot_be_opened_is_counted(folder):
    (folder / "c").symlink_to("/proc/self/mem")
    rejected = Rejections()

    assert names([folder], rejected) == ["one", "two"]
    assert [row["samples"] for row in rejected.rows()] == [[f"{folder}/c"]]


COMPRESS = pytest.mark.parametrize("compress", [gzip.compress, zstandard.compress])


@COMPRESS
def test_compressed_members_in_a_row_are_one_file(tmp_path, compress):
    (tmp_path / "a").write_bytes(compress(line("one")) + compress(line("two")))

    assert names([tmp_path / "a"]) == ["one", "two"]


@COMPRESS
def test_a_compressed_file_cut_off_gives_what_came_before(folder, compress):
    lines = b"".join(line(f"{os.urandom(30).hex()}") for _ in range(3000))
    (folder / "0").write_bytes(compress(lines)[:-1000])
    rejected = Rejections()

    found = names([folder], rejected)

    assert len(found) > 1500
    assert found[-2:] == ["one", "two"]
    assert rejected.samples[CUT_OFF] == [f"{folder}/0"]


@COMPRESS
def test_damaged_compressed_data_is_counted(folder, compress):
    data = bytearray(compress(os.urandom(100) + line("x") * 50))
    data[30:40] = b"\xff" * 10
    (folder / "0").write_bytes(data)
    rejected = Rejections()

    assert names([folder], rejected)[-2:] == ["one", "two"]
    assert rejected.counts


def message(document: bytes) -> bytes:
    frame = zstandard.compress(document)
    return len(frame).to_bytes(4) + frame


def test_messages_compressed_one_by_one_are_read(tmp_path):
    (tmp_path / "json").write_bytes(message(line("one").strip()) + message(line("two").strip()))
    traces = TracesData()
    traces.resource_spans.add().scope_spans.add().spans.add(name="three")
    (tmp_path / "proto").write_bytes(message(traces.SerializeToString()) * 2)

    assert names([tmp_path]) == ["one", "two", "three", "three"]


def test_a_damaged_message_costs_no_other(tmp_path):
    damaged = bytearray(message(line("two")))
    damaged[10:30] = b"\xff" * 20
    file = message(line("one")) + damaged + message(line("three")) + message(line("cut"))[:-30]
    (tmp_path / "a").write_bytes(file)
    rejected = Rejections()

    assert names([tmp_path / "a"], rejected) == ["one", "three"]
    assert rejected.counts[CUT_OFF] == 1


def test_zeros_after_a_gzip_member_are_padding(tmp_path):
    (tmp_path / "a").write_bytes(gzip.compress(line("one")) + b"\0" * 512)
    rejected = Rejections()

    assert names([tmp_path / "a"], rejected) == ["one"]
    assert rejected.counts == {}


@given(st.lists(st.binary(max_size=50), max_size=4), st.sampled_from([gzip, zstandard]))
def test_decompression_undoes_compression(members, module):
    file = b"".join(map(module.compress, members))
    reasons: list[str] = []

    found = b"".join(chunks_of(io.BytesIO(file), reasons.append))

    assert (found, reasons) == (b"".join(members), [])


@given(st.binary(max_size=200), st.sampled_from([b"\x1f\x8b", b"\x28\xb5\x2f\xfd"]))
def test_damaged_members_never_raise(data, magic):
    reasons: list[str] = []

    list(chunks_of(io.BytesIO(magic + data), reasons.append))

    assert len(reasons) <= 1
