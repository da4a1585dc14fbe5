"""What every trace source must do. Subclass ``TraceSourceContract`` and say how its files look."""

import gzip
import io
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pytest
import zstandard
from graphmind_loaders import read_spans, sources
from graphmind_loaders.inputs import Source
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graphmind.errors import SourceError
from graphmind.telemetry.rejections import Rejections
from graphmind.telemetry.spans import SPANS

# Each source runs the same tests: that is what a contract is for.
shared = settings(max_examples=10, suppress_health_check=[HealthCheck.differing_executors])

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"


@dataclass(frozen=True, kw_only=True)
class Plain:
    """A span as far as every kind of file can state it; times in microseconds."""

    number: int
    parent: int | None = None
    failed: bool = False

    @property
    def trace_id(self) -> str:
        return TRACE_ID

    @property
    def span_id(self) -> str:
        return f"{0xAB54A98CEB1F0000 + self.number:016x}"

    @property
    def parent_id(self) -> str | None:
        return None if self.parent is None else f"{0xAB54A98CEB1F0000 + self.parent:016x}"

    @property
    def name(self) -> str:
        return f"op-{self.number}."

    @property
    def start_us(self) -> int:
        return 1_767_225_600_000_000 + 1000 * self.number

    @property
    def end_us(self) -> int:
        return self.start_us + 500_000

    @property
    def row(self) -> tuple[object, ...]:
        """Return what the source must make of it; see ``rows``."""
        times = (self.start_us * 1000, self.end_us * 1000)
        return (TRACE_ID, self.span_id, self.parent_id, self.name, *times, self.failed)


TRACE = (
    Plain(number=0),
    Plain(number=1, parent=0),
    Plain(number=2, parent=1, failed=True),
    Plain(number=3, parent=0),
)


def rows(batches: Sequence[pa.RecordBatch]) -> list[tuple[object, ...]]:
    """Return ids, parent, name, start, end and whether it failed, of each span."""
    columns = ("trace_id", "span_id", "parent_span_id", "name", "start_ns", "end_ns", "status")
    return [
        (*(span[column] for column in columns[:-1]), span["status"] == 2)
        for batch in batches
        for span in batch.to_pylist()
    ]


class TraceSourceContract:
    """Say which source, and how a trace is written in its format."""

    source: Source[pa.RecordBatch]
    service: str | None = "shop"
    """The service that ``write`` names, if the format can."""

    def write(self, spans: Sequence[Plain]) -> bytes:
        """Write spans as one document, in order, each name once."""
        raise NotImplementedError

    def join(self, documents: Sequence[bytes]) -> bytes:
        """Write several documents as one file."""
        return b"\n".join(documents)

    broken = b'{"cut": "off'
    """A document that breaks off."""

    def read(self, file: bytes) -> tuple[list[pa.RecordBatch], Rejections]:
        rejected = Rejections()
        return list(self.source.read(io.BytesIO(file), rejected)), rejected

    def rows(self, file: bytes) -> list[tuple[object, ...]]:
        return rows(self.read(file)[0])

    def test_a_trace_comes_back_as_it_was_written(self):
        batches, rejected = self.read(self.write(TRACE))

        assert rows(batches) == [span.row for span in TRACE]
        assert rejected.counts == {}

    def test_the_service_is_named_by_the_resource(self):
        [batch], _ = self.read(self.write(TRACE))

        services = {
            dict(resource).get("service.name") for resource in batch["resource"].to_pylist()
        }
        assert services == {self.service}

    def test_batches_have_the_one_schema(self):
        [batch], _ = self.read(self.write(TRACE))

        batch.validate(full=True)
        assert batch.schema.equals(SPANS)

    def test_the_same_input_gives_the_same_rows(self):
        file = self.write(TRACE)

        assert self.read(file)[0] == self.read(file)[0]

    def test_several_documents_are_read_in_order(self):
        file = self.join([self.write(TRACE[:1]), self.write(TRACE[1:3]), self.write(TRACE[3:])])

        assert self.rows(file) == [span.row for span in TRACE]

    def test_a_broken_document_is_counted_and_the_others_are_read(self):
        file = self.join([self.write(TRACE[:2]), self.broken, self.write(TRACE[2:])])

        batches, rejected = self.read(file)

        assert rows(batches) == [span.row for span in TRACE]
        assert sum(rejected.counts.values()) == 1

    @pytest.mark.parametrize("depth", [300, 100_000])
    def test_a_document_nested_beyond_reason_costs_no_other(self, depth):
        deep = b'{"data":[' * depth + b"1" + b"]}" * depth
        file = self.join([self.write(TRACE[:2]), deep, self.write(TRACE[2:])])

        batches, rejected = self.read(file)

        assert rows(batches) == [span.row for span in TRACE]
        assert sum(rejected.counts.values()) == 1

    def test_empty_input_has_no_spans(self):
        assert self.read(b"") == ([], Rejections())

    def test_its_files_are_recognised_by_it_and_by_no_other(self):
        head = self.write(TRACE)

        assert [source.name for source in sources() if source.recognises(head)] == [
            self.source.name
        ]

    @pytest.mark.parametrize("head", [b"", b"\n\n\n\n", b"PK\x03\x04", b"# Notes\n\nSome text.\n"])
    def test_other_files_are_not_recognised(self, head):
        assert not self.source.recognises(head)

    @pytest.mark.parametrize("compress", [gzip.compress, zstandard.compress])
    def test_compressed_files_are_read(self, tmp_path: Path, compress):
        (tmp_path / "trace").write_bytes(compress(self.write(TRACE)))
        rejected = Rejections()

        assert rows(list(read_spans([tmp_path], rejected))) == [span.row for span in TRACE]
        assert rejected.counts == {}

    @shared
    @given(file=st.binary(max_size=200))
    def test_random_bytes_raise_nothing_but_a_source_error(self, file):
        self._reads_or_refuses(file)

    @shared
    @given(st.data())
    def test_a_file_cut_off_keeps_the_spans_before_the_cut(self, data):
        file = self.write(TRACE)
        cut = file[: data.draw(st.integers(0, len(file)))]

        found = self.rows(cut)

        # Where the name of a span stands, the one before it is over.
        named = sum(span.name.encode() in cut for span in TRACE)
        assert len(found) >= named - 1
        assert [row[:2] for row in found] == [span.row[:2] for span in TRACE[: len(found)]]

    @shared
    @given(st.data())
    def test_a_damaged_document_costs_no_earlier_one(self, data):
        document = self.write(TRACE[2:])
        at = data.draw(st.integers(0, len(document) - 1))
        byte = data.draw(st.binary(min_size=1, max_size=1))
        damaged = document[:at] + byte + document[at + 1 :]

        found = self._reads_or_refuses(self.join([self.write(TRACE[:2]), damaged]))

        assert found[:2] == [span.row for span in TRACE[:2]]

    def _reads_or_refuses(self, file: bytes) -> list[tuple[object, ...]]:
        batches: list[pa.RecordBatch] = []
        with suppress(SourceError):
            batches.extend(self.source.read(io.BytesIO(file), Rejections()))
        return rows(batches)
