"""Writes a simulation to a folder: the spans, and the truth about them."""

import gzip
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal, cast

import orjson
import zstandard

from graphmind.errors import StoreError
from graphmind.simulation.otlp import request_lines
from graphmind.simulation.sampling import keep
from graphmind.simulation.simulate import Simulation
from graphmind.simulation.truth import Ledger

SPANS_FILE: Final = "spans.jsonl"
TRUTH_FILE: Final = "truth.json"

Compression = Literal["", "gz", "zst"]


def write(simulation: Simulation, folder: Path, *, compress: Compression = "") -> dict[str, Any]:
    """Run the simulation, write ``spans.jsonl[.gz|.zst]`` and ``truth.json``; return the truth.

    Raises StoreError if the folder cannot be written.
    """
    ledger = Ledger(simulation)
    kept = keep(simulation.traces(), simulation.scenario)
    lines = request_lines(ledger.note(kept), simulation.scenario)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / (f"{SPANS_FILE}.{compress}" if compress else SPANS_FILE)
        with path.open("wb") as file, closing(_compressor(file, compress)) as sink:
            for line in lines:
                sink.write(line)
        truth = ledger.truth()
        options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
        (folder / TRUTH_FILE).write_bytes(orjson.dumps(truth, option=options))
    except OSError as error:
        raise StoreError(
            f"cannot write to {folder}: {error.strerror}. Name a folder that can be written"
        ) from error
    return truth


def _compressor(file: BinaryIO, compress: Compression) -> BinaryIO:
    match compress:
        case "gz":
            # No name and no time in the header: the same seed gives the same bytes.
            return cast("BinaryIO", gzip.GzipFile("", "wb", 6, file, mtime=0))
        case "zst":
            return cast("BinaryIO", zstandard.ZstdCompressor().stream_writer(file))
        case "":
            return file
