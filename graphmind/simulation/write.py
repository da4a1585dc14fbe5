"""Writes a simulation to a folder: the spans, and the truth about them."""

import gzip
from contextlib import closing
from pathlib import Path
from typing import BinaryIO, Final, Literal, cast

import orjson
import zstandard

from graphmind.errors import StoreError
from graphmind.simulation.otlp import request_lines
from graphmind.simulation.scenario import Scenario
from graphmind.simulation.simulate import simulate
from graphmind.simulation.truth import Ledger

SPANS_FILE: Final = "spans.jsonl"
TRUTH_FILE: Final = "truth.json"

Compression = Literal["", "gz", "zst"]


def write_simulation(
    scenario: Scenario, folder: Path, *, compress: Compression = ""
) -> tuple[Path, Path]:
    """Simulate, write ``spans.jsonl[.gz|.zst]`` and ``truth.json``, and return their paths.

    Raises SettingsError if the scenario cannot be planted, StoreError if the folder cannot be
    written.
    """
    simulation = simulate(scenario)
    ledger = Ledger(simulation)
    spans = folder / (f"{SPANS_FILE}.{compress}" if compress else SPANS_FILE)
    truth = folder / TRUTH_FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with spans.open("wb") as file, closing(_compressor(file, compress)) as sink:
            for line in request_lines(ledger.note(simulation.traces()), scenario):
                sink.write(line)
        options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
        truth.write_bytes(orjson.dumps(ledger.truth(), option=options))
    except OSError as error:
        raise StoreError(
            f"cannot write to {folder}: {error.strerror}. Name a folder that can be written"
        ) from error
    return spans, truth


def _compressor(file: BinaryIO, compress: Compression) -> BinaryIO:
    match compress:
        case "gz":
            # No name and no time in the header: the same seed gives the same bytes.
            return cast("BinaryIO", gzip.GzipFile("", "wb", 6, file, mtime=0))
        case "zst":
            return cast("BinaryIO", zstandard.ZstdCompressor().stream_writer(file))
        case "":
            return file
