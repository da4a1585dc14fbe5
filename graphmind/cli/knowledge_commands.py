"""What the commands of ``knowledge.py`` do: open the stores, call one job, print the answer."""

import time
from dataclasses import asdict
from pathlib import Path
from typing import IO, Literal

from graphmind.archive.port import Selection
from graphmind.cli import knowledge_tables as tables
from graphmind.cli.commands import print_json
from graphmind.cli.options import Context
from graphmind.errors import SourceError
from graphmind.jobs.behaviour import score_traces
from graphmind.jobs.cases import confirm_case
from graphmind.jobs.classify import classify
from graphmind.jobs.library import export_library, import_library
from graphmind.jobs.lineage import lineage_of_incident, lineage_of_key, lineage_of_trace
from graphmind.jobs.similar import similar
from graphmind.wiring import open_stores


def show_similar(run: Context, incident_id: str, limit: int) -> None:
    """Compare an incident with the library."""
    with open_stores(run.settings) as stores:
        found = similar(stores.archive, incident_id, limit)
    if run.json:
        print_json(found.document())
    else:
        tables.print_similar(run.out, found)


def show_lineage(run: Context, *, incident: str, key: str, at_ms: int | None, trace: str) -> None:
    """Follow the bad values of an incident, of a key at a time, or of a trace."""
    with open_stores(run.settings) as stores:
        if incident:
            found = lineage_of_incident(stores.archive, incident)
        elif key:
            moment_ms = _now_ms() if at_ms is None else at_ms
            found = lineage_of_key(stores.archive, key, at_ms=moment_ms)
        else:
            found = lineage_of_trace(stores.archive, trace)
    if run.json:
        print_json(found.document())
    else:
        tables.print_lineage(run.out, found.document())


def show_class(run: Context, incident_id: str) -> None:
    """Classify the root cause of an incident."""
    with open_stores(run.settings) as stores:
        found = classify(stores.archive, run.settings, incident_id)
    if run.json:
        print_json(found.document())
    else:
        tables.print_classification(run.out, found)


def confirm_class(run: Context, incident_id: str, label: str, *, by: str) -> None:
    """Archive an incident as a case of a class."""
    with open_stores(run.settings) as stores:
        document = confirm_case(stores.archive, incident_id, label, by, _now_ms())
    if run.json:
        print_json(document)
    else:
        run.out.print(f"{incident_id} is a case of {label}, confirmed by {by}")


def list_anomalies(run: Context, limit: int) -> None:
    """Score all traces by their behaviour; show the least usual."""
    with open_stores(run.settings) as stores:
        scored = score_traces(stores.archive, run.settings, Selection(), _now_ms())
    order = [("anomaly_score", "descending"), ("trace_id", "ascending")]
    rows = scored.sort_by(order).slice(0, limit).to_pylist()
    if run.json:
        print_json({"anomalies": rows, "traces": scored.num_rows})
    else:
        tables.print_anomalies(run.out, rows, scored.num_rows)


def write_library(run: Context, file: Path, *, origin: str) -> None:
    """Export the library."""
    with open_stores(run.settings) as stores, _opened(file, "wb") as target:
        entries = export_library(stores.archive, target, origin=origin)
    _print_counts(run, {"entries": entries}, f"{entries} fingerprints written to {file}")


def read_library(run: Context, file: Path) -> None:
    """Import a library."""
    with open_stores(run.settings) as stores, _opened(file, "rb") as source:
        took = import_library(source, stores.archive)
    counts = asdict(took)
    words = ", ".join(f"{count} {name}" for name, count in counts.items())
    _print_counts(run, counts, f"fingerprints: {words}")


def _opened(file: Path, mode: Literal["rb", "wb"]) -> IO[bytes]:
    try:
        return file.open(mode)
    except OSError as error:
        raise SourceError(f"{file} cannot be opened: {error.strerror}. Name another") from error


def _print_counts(run: Context, counts: dict[str, int], words: str) -> None:
    if run.json:
        print_json(counts)
    else:
        run.out.print(words, soft_wrap=True)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
